import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePortFrom } from '../../support/ports.ts';
import { type RunningProcess, startProcess } from '../../support/process.ts';
import { runOrThrow } from '../tools.ts';
import { type ControlPlane, HOST } from './control-plane.ts';
import { gatewayApiCrds, programOf } from './programs.ts';
import { until } from './until.ts';

/*
 * Istio's own control plane in a control plane of the test: what istioctl renders is applied, and istiod runs as a
 * process of the host, behind its Service. Its injector and its controllers for gateways are the real ones. There is no
 * proxy: nothing runs the pods.
 */

export const ISTIO_NAMESPACE = 'istio-system';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** The addresses at which istiod listens: each flag, and the port at which the search for a free one starts. */
const LISTENERS = {
  httpAddr: 8080,
  httpsAddr: 15017,
  grpcAddr: 15010,
  secureGRPCAddr: 15012,
  monitoringAddr: 15014,
} as const;

export interface Istio {
  readonly hub: string;
  readonly tag: string;
  /** By default Istio's default revision. */
  readonly revision?: string;
  readonly profile?: string;
  /** Further settings of istioctl's `--set`: `values.global.proxy.image=…`. */
  readonly set?: readonly string[];
}

/** Renders an installation of Istio: `istioctl manifest generate`. */
export const renderIstio = ({
  hub,
  tag,
  revision,
  profile = 'minimal',
  set = [],
}: Istio): Promise<string> => {
  const settings = { profile, hub, tag, ...(revision === undefined ? {} : { revision }) };
  const pairs = [...Object.entries(settings).map(([key, value]) => `${key}=${value}`), ...set];
  const flags = pairs.flatMap((pair) => ['--set', pair]);
  return runOrThrow(programOf('istioctl'), ['manifest', 'generate', ...flags]);
};

/** Runs istioctl against the cluster, and resolves with what it prints. */
export const istioctl = ({ kubeconfig }: ControlPlane, ...argv: readonly string[]): Promise<string> =>
  runOrThrow(programOf('istioctl'), argv, { env: { KUBECONFIG: kubeconfig } });

const apply = async ({ kubectl }: ControlPlane, path: string): Promise<void> => {
  const argv = ['apply', '--server-side', '--force-conflicts', '--filename', path];
  const { code, stderr } = await kubectl(...argv);
  if (code !== 0) throw new Error(`${path} cannot be applied: ${stderr}`);
};

/** Installs the custom resources of the Kubernetes Gateway API. */
export const installGatewayApi = (plane: ControlPlane): Promise<void> => apply(plane, gatewayApiCrds());

/** Makes the API server reach the Service at a port of the host. */
const publishEndpoint = async ({ api }: ControlPlane, service: string, port: number): Promise<void> => {
  await api.create({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service}-on-host`,
      namespace: ISTIO_NAMESPACE,
      labels: {
        'kubernetes.io/service-name': service,
        'endpointslice.kubernetes.io/managed-by': 'test',
      },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [HOST], conditions: { ready: true } }],
    ports: [{ name: 'https-webhook', port, protocol: 'TCP' }],
  });
};

interface Hooks {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/** Waits until istiod is ready, and has written its certificate authority into the injector's configuration. */
const untilReady = async (
  { api }: ControlPlane,
  running: RunningProcess,
  { injector, port }: { readonly injector: string; readonly port: number },
): Promise<void> => {
  const ended = running.ended.then((code) => {
    throw new Error(`istiod ended with ${code}: ${running.output().slice(-4000)}`);
  });
  const ready = until('istiod is ready', async () => {
    const { ok } = await fetch(`http://${HOST}:${port}/ready`);
    const path = `${ADMISSION}/mutatingwebhookconfigurations/${injector}`;
    const { webhooks } = await api.get<Hooks>(path);
    return ok && webhooks.every(({ clientConfig }) => (clientConfig.caBundle ?? '') !== '');
  });
  await Promise.race([ready, ended]);
};

/** Installs Istio and starts istiod. Disposing of the result stops it. */
export const startIstiod = async (plane: ControlPlane, istio: Istio): Promise<AsyncDisposable> => {
  await using started = new AsyncDisposableStack();
  // It reads and writes ./etc and ./var.
  const home = await mkdtemp(join(tmpdir(), 'sailmark-istiod-'));
  started.defer(() => rm(home, { recursive: true, force: true }));
  const manifest = join(home, 'istio.yaml');
  await writeFile(manifest, await renderIstio(istio));
  await apply(plane, manifest);
  const { revision = 'default' } = istio;
  const suffix = revision === 'default' ? '' : `-${revision}`;
  const ports = Object.fromEntries(
    await Promise.all(
      Object.entries(LISTENERS).map(async ([flag, from]) => [flag, await freePortFrom(HOST, from)] as const),
    ),
  );
  const listeners = Object.entries(ports).map(([flag, port]) => `--${flag}=${HOST}:${port}`);
  const argv = [
    'discovery',
    `--kubeconfig=${plane.kubeconfig}`,
    '--ctrlz_port=0',
    '--shutdownDuration=0s',
    ...listeners,
  ];
  const injector = `istio-sidecar-injector${suffix}`;
  const env = {
    POD_NAMESPACE: ISTIO_NAMESPACE,
    POD_NAME: `istiod${suffix}-0`,
    SERVICE_ACCOUNT: `istiod${suffix}`,
    REVISION: revision,
    CLUSTER_ID: 'Kubernetes',
    PILOT_CERT_PROVIDER: 'istiod',
    INJECTION_WEBHOOK_CONFIG_NAME: injector,
    VALIDATION_WEBHOOK_CONFIG_NAME: `istio-validator${suffix}-${ISTIO_NAMESPACE}`,
  };
  const running = started.use(
    startProcess('env', [`--chdir=${home}`, programOf('pilot-discovery'), ...argv], env),
  );
  await publishEndpoint(plane, `istiod${suffix}`, ports['httpsAddr'] ?? 0);
  await untilReady(plane, running, { injector, port: ports['httpAddr'] ?? 0 });
  return started.move();
};
