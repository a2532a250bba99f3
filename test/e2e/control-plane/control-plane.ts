import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ran, runProgram } from '../tools.ts';
import { type Api, openApi } from './api.ts';
import { AUDIT_POLICY, type AuditLog, openAuditLog } from './audit-log.ts';
import { parseMetrics, type Sample } from './metrics.ts';
import { type Running, startProcess } from './process.ts';
import { programOf, type Release } from './programs.ts';
import { until } from './until.ts';

/*
 * A whole control plane of processes that nobody here wrote: etcd, kube-apiserver, kube-controller-manager. There is no
 * scheduler and no kubelet; kubelet.ts plays both for the pods that a test runs.
 *
 * It lives in the network namespace that `.ci/control-plane` makes: nothing outside can be reached, and its ports are
 * always free. Only one runs at a time.
 */

/** The host's address on the bridge that pods are connected to; registries of tests and the API server are there. */
export const HOST = '10.88.0.1';
export const API_PORT = 6443;

/** Milliseconds; Helm's own `--timeout` comes first. */
const HELM_PATIENCE = 300_000;

const ADMIN = 'admin-token';
const CONTROLLERS = 'controllers-token';
const ETCD = 'http://127.0.0.1:2379';

export interface ControlPlane {
  readonly release: Release;
  readonly url: string;
  /** The certificate that the API server proves itself with, PEM. */
  readonly ca: string;
  /** A file; its user is of `system:masters`. */
  readonly kubeconfig: string;
  /** As `system:masters`. */
  readonly api: Api;
  readonly audit: AuditLog;
  /** As whoever has this token: a service account, mostly. */
  apiAs(token: string): Api;
  kubectl(...argv: readonly string[]): Promise<Ran>;
  /** Rejects with what it printed where it does not end with 0. */
  helm(...argv: readonly string[]): Promise<string>;
  tryHelm(...argv: readonly string[]): Promise<Ran>;
  /** What the API server measures of itself, admission among it. */
  metrics(): Promise<readonly Sample[]>;
  /** Ends the API server before etcd, without which it never ends. */
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

const writeFiles = async (directory: string): Promise<void> => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tokens = [
    [ADMIN, 'admin', 'admin', 'system:masters'],
    [CONTROLLERS, 'system:kube-controller-manager', 'controllers'],
  ];
  const files = {
    'sa.key': privateKey.export({ type: 'pkcs1', format: 'pem' }),
    'sa.pub': publicKey.export({ type: 'spki', format: 'pem' }),
    'tokens.csv': `${tokens.map((row) => row.join(',')).join('\n')}\n`,
    'audit-policy.json': JSON.stringify(AUDIT_POLICY),
    'audit.log': '',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
};

const startEtcd = (directory: string): Running =>
  startProcess(programOf('etcd'), [
    '--data-dir',
    join(directory, 'etcd'),
    '--unsafe-no-fsync',
    '--log-level',
    'error',
    '--listen-client-urls',
    ETCD,
    '--advertise-client-urls',
    ETCD,
    '--listen-peer-urls',
    'http://127.0.0.1:2380',
  ]);

const startApiServer = (release: Release, directory: string): Running =>
  startProcess(programOf(`kube-apiserver ${release}`), [
    `--etcd-servers=${ETCD}`,
    `--cert-dir=${directory}`,
    `--bind-address=${HOST}`,
    `--advertise-address=${HOST}`,
    `--secure-port=${API_PORT}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--authorization-mode=RBAC',
    `--token-auth-file=${join(directory, 'tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(directory, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(directory, 'sa.key')}`,
    '--allow-privileged=true',
    // There is no kube-proxy: webhooks are called at the addresses of their endpoints.
    '--enable-aggregator-routing=true',
    `--audit-policy-file=${join(directory, 'audit-policy.json')}`,
    `--audit-log-path=${join(directory, 'audit.log')}`,
  ]);

const startControllers = (directory: string): Running =>
  startProcess(programOf('kube-controller-manager'), [
    `--kubeconfig=${join(directory, 'controllers.conf')}`,
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${join(directory, 'sa.key')}`,
    `--root-ca-file=${join(directory, 'apiserver.crt')}`,
    // Nobody keeps a Node's lease: it is the played kubelet's, and always well.
    '--controllers=*,-nodeipam,-nodelifecycle,-cloud-node-lifecycle',
    '--secure-port=0',
  ]);

/** Waits for it, and tells what a part said that ended instead. */
const untilUp = async <Found>(
  what: string,
  parts: readonly Running[],
  ask: () => Promise<Found | undefined | false>,
): Promise<Found> => {
  const ended = Promise.race(
    parts.map(async (part) => {
      const code = await part.ended;
      throw new Error(`a part of the control plane ended with ${code}: ${part.output().slice(-4000)}`);
    }),
  );
  return Promise.race([until(what, ask, { seconds: 60 }), ended]);
};

/** Starts one of this release, in a directory of its own, and waits until pods can be created in `default`. */
export const startControlPlane = async (release: Release): Promise<ControlPlane> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-control-plane-'));
  const inDirectory = (name: string): string => join(directory, name);
  await writeFiles(directory);
  const url = `https://${HOST}:${API_PORT}`;
  const etcd = startEtcd(directory);
  const apiServer = startApiServer(release, directory);
  const ca = await untilUp('the certificate of the API server', [etcd, apiServer], () =>
    readFile(inDirectory('apiserver.crt'), 'utf8'),
  );
  const apiAs = (token: string): Api => openApi({ url, ca, token });
  const api = apiAs(ADMIN);
  await untilUp('the API server is ready', [etcd, apiServer], async () => {
    const { status } = await api.ask('GET', '/readyz');
    return status === 200;
  });
  await writeFile(inDirectory('controllers.conf'), kubeconfigOf(url, ca, CONTROLLERS));
  await writeFile(inDirectory('admin.conf'), kubeconfigOf(url, ca, ADMIN), { mode: 0o600 });
  await mkdir(inDirectory('helm'));
  const controllers = startControllers(directory);
  await untilUp('the controllers run', [etcd, apiServer, controllers], () =>
    api.find('/api/v1/namespaces/default/serviceaccounts/default'),
  );
  const env = {
    KUBECONFIG: inDirectory('admin.conf'),
    HELM_CACHE_HOME: inDirectory('helm'),
    HELM_CONFIG_HOME: inDirectory('helm'),
    HELM_DATA_HOME: inDirectory('helm'),
  };
  const tryHelm: ControlPlane['tryHelm'] = (...argv) =>
    runProgram(programOf('helm'), argv, { env, timeout: HELM_PATIENCE });
  return {
    release,
    url,
    ca,
    kubeconfig: env.KUBECONFIG,
    api,
    audit: openAuditLog(inDirectory('audit.log')),
    apiAs,
    kubectl: (...argv) => runProgram(programOf('kubectl'), argv, { env }),
    tryHelm,
    async helm(...argv) {
      const { code, stdout, stderr } = await tryHelm(...argv);
      if (code !== 0) throw new Error(`helm ${argv.join(' ')} ended with ${code}: ${stderr}${stdout}`);
      return stdout;
    },
    metrics: async () => parseMetrics(await api.get<string>('/metrics')),
    async stop() {
      await controllers.stop();
      await apiServer.stop();
      await etcd.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
