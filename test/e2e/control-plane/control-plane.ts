import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePortFrom } from '../../support/ports.ts';
import { type RunningProcess, startProcess } from '../../support/process.ts';
import { createTls } from '../../support/tls.ts';
import { type ProgramResult, runProgram } from '../tools.ts';
import { type Api, openApi } from './api.ts';
import { AUDIT_POLICY, type AuditLog, openAuditLog } from './audit-log.ts';
import { parseMetrics, type Sample } from './metrics.ts';
import { programOf, type Release } from './programs.ts';
import { until } from './until.ts';

/*
 * A control plane of real processes: etcd, kube-apiserver, kube-controller-manager. There is no scheduler and no
 * kubelet; kubelet.ts simulates both for the pods that a test runs.
 *
 * It runs in the network namespace that `.ci/control-plane` makes, from which nothing outside can be reached. Nothing
 * is read that a process of it may still be writing: the API server's certificate is issued here, before it starts. If
 * a part does not start, every part before it is stopped; ports are chosen for each start.
 */

/** The host's address on the bridge that connects pods. The API server and the tests' registries listen on it. */
export const HOST = '10.88.0.1';
const LOOPBACK = '127.0.0.1';

/** The ports at which the search for a free one starts: the usual port of each. */
const FIRST_PORTS = { etcd: 2379, apiServer: 6443 };

/** Longer than any `--timeout` that tests give Helm. */
const HELM_TIMEOUT_MS = 300_000;

const ADMIN = 'admin-token';
const CONTROLLERS = 'controllers-token';

export interface ControlPlane {
  readonly release: Release;
  readonly url: string;
  /** The certificate authority of the API server's certificate, PEM. */
  readonly ca: string;
  /** The path of a kubeconfig whose user is in `system:masters`. */
  readonly kubeconfig: string;
  /** A client whose user is in `system:masters`. */
  readonly api: Api;
  readonly audit: AuditLog;
  /** A client that authenticates with this token, mostly that of a service account. */
  apiAs(token: string): Api;
  kubectl(...argv: readonly string[]): Promise<ProgramResult>;
  /** Rejects with the output unless Helm exits with 0. */
  helm(...argv: readonly string[]): Promise<string>;
  tryHelm(...argv: readonly string[]): Promise<ProgramResult>;
  /** The API server's own metrics, admission among them. */
  metrics(): Promise<readonly Sample[]>;
  /** Stops the API server before etcd: without etcd it ignores SIGTERM. */
  stop(): Promise<void>;
}

const kubeconfigOf = (url: string, ca: string, token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });

/** The files of one control plane, and the ports of its processes. */
interface Layout {
  readonly directory: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiPort: number;
  /** The certificate authority, PEM. */
  readonly ca: string;
}

const etcdUrl = ({ etcdPort }: Layout): string => `http://${LOOPBACK}:${etcdPort}`;

const createLayout = async (directory: string): Promise<Layout> => {
  const etcdPort = await freePortFrom(LOOPBACK, FIRST_PORTS.etcd);
  const etcdPeerPort = await freePortFrom(LOOPBACK, etcdPort + 1);
  const apiPort = await freePortFrom(HOST, FIRST_PORTS.apiServer);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tls = createTls([HOST]);
  const tokens = [
    [ADMIN, 'admin', 'admin', 'system:masters'],
    [CONTROLLERS, 'system:kube-controller-manager', 'controllers'],
  ];
  const files = {
    'ca.crt': tls.ca,
    'apiserver.crt': tls.cert,
    'apiserver.key': tls.key,
    'sa.key': privateKey.export({ type: 'pkcs1', format: 'pem' }),
    'sa.pub': publicKey.export({ type: 'spki', format: 'pem' }),
    'tokens.csv': `${tokens.map((row) => row.join(',')).join('\n')}\n`,
    'audit-policy.json': JSON.stringify(AUDIT_POLICY),
    'audit.log': '',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  await mkdir(join(directory, 'helm'));
  return { directory, etcdPort, etcdPeerPort, apiPort, ca: tls.ca };
};

const startEtcd = (layout: Layout): RunningProcess =>
  startProcess(programOf('etcd'), [
    '--data-dir',
    join(layout.directory, 'etcd'),
    '--unsafe-no-fsync',
    '--log-level',
    'error',
    '--listen-client-urls',
    etcdUrl(layout),
    '--advertise-client-urls',
    etcdUrl(layout),
    '--listen-peer-urls',
    `http://${LOOPBACK}:${layout.etcdPeerPort}`,
  ]);

const startApiServer = (release: Release, layout: Layout): RunningProcess => {
  const file = (name: string): string => join(layout.directory, name);
  return startProcess(programOf(`kube-apiserver ${release}`), [
    `--etcd-servers=${etcdUrl(layout)}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    `--bind-address=${HOST}`,
    `--advertise-address=${HOST}`,
    `--secure-port=${layout.apiPort}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--authorization-mode=RBAC',
    `--token-auth-file=${file('tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    '--allow-privileged=true',
    // There is no kube-proxy: webhooks are called at the addresses of their endpoints.
    '--enable-aggregator-routing=true',
    `--audit-policy-file=${file('audit-policy.json')}`,
    `--audit-log-path=${file('audit.log')}`,
  ]);
};

const startControllers = ({ directory }: Layout): RunningProcess =>
  startProcess(programOf('kube-controller-manager'), [
    `--kubeconfig=${join(directory, 'controllers.conf')}`,
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${join(directory, 'sa.key')}`,
    `--root-ca-file=${join(directory, 'ca.crt')}`,
    // Nobody renews a Node's lease: the simulated kubelet's Node is always ready.
    '--controllers=*,-nodeipam,-nodelifecycle,-cloud-node-lifecycle',
    '--secure-port=0',
  ]);

/** Waits for a condition. Rejects at once with the output of a process that ends instead. */
const untilUp = async <Found>(
  what: string,
  processes: readonly RunningProcess[],
  find: () => Promise<Found | undefined | false>,
): Promise<Found> => {
  const over = new AbortController();
  const ended = Promise.race(
    processes.map(async (running) => {
      const code = await running.ended;
      throw new Error(`a part of the control plane ended with ${code}: ${running.output().slice(-4000)}`);
    }),
  );
  try {
    return await Promise.race([until(what, find, { seconds: 60, signal: over.signal }), ended]);
  } finally {
    over.abort();
  }
};

/** Starts one of this release, in a directory of its own, and waits until pods can be created in `default`. */
export const startControlPlane = async (release: Release): Promise<ControlPlane> => {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-control-plane-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const layout = await createLayout(directory);
  const { ca } = layout;
  const url = `https://${HOST}:${layout.apiPort}`;
  const etcd = started.use(startEtcd(layout));
  const apiServer = started.use(startApiServer(release, layout));
  const apiAs = (token: string): Api => openApi({ url, ca, token });
  const api = apiAs(ADMIN);
  await untilUp('the API server is ready', [etcd, apiServer], async () => {
    const { status } = await api.send('GET', '/readyz');
    return status === 200;
  });
  const kubeconfig = join(directory, 'admin.conf');
  await writeFile(join(directory, 'controllers.conf'), kubeconfigOf(url, ca, CONTROLLERS));
  await writeFile(kubeconfig, kubeconfigOf(url, ca, ADMIN), { mode: 0o600 });
  const controllers = started.use(startControllers(layout));
  await untilUp('the controllers run', [etcd, apiServer, controllers], () =>
    api.find('/api/v1/namespaces/default/serviceaccounts/default'),
  );
  const helmHome = join(directory, 'helm');
  const env = {
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: helmHome,
    HELM_CONFIG_HOME: helmHome,
    HELM_DATA_HOME: helmHome,
  };
  const tryHelm: ControlPlane['tryHelm'] = (...argv) =>
    runProgram(programOf('helm'), argv, { env, timeout: HELM_TIMEOUT_MS });
  const running = started.move();
  return {
    release,
    url,
    ca,
    kubeconfig,
    api,
    audit: openAuditLog(join(directory, 'audit.log')),
    apiAs,
    kubectl: (...argv) => runProgram(programOf('kubectl'), argv, { env }),
    tryHelm,
    async helm(...argv) {
      const { code, stdout, stderr } = await tryHelm(...argv);
      if (code !== 0) throw new Error(`helm ${argv.join(' ')} ended with ${code}: ${stderr}${stdout}`);
      return stdout;
    },
    metrics: async () => parseMetrics(await api.get<string>('/metrics')),
    stop: () => running.disposeAsync(),
  };
};
