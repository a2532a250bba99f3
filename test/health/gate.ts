import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pod, review } from '../support/builders.ts';
import {
  configMapPath,
  type Json,
  secretPath,
  startCluster,
  type TestCluster,
  webhookPath,
  webhooksOf,
} from '../support/cluster-server.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { startProcess, untilOutput } from '../support/process.ts';
import { createSigner } from '../support/signing-kit.ts';
import { postReview } from '../support/webhook.ts';

/*
 * The bundle as a process of its own: with a cluster that holds its certificates, evidence and webhook configuration, a
 * mirror, and a registry that nobody can connect to.
 */

const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname;
const SERVICE_ACCOUNT = new URL('service-account.ts', import.meta.url).href;
const RULES = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
const NAMES = ['critical.sailmark.dev', 'enforce.sailmark.dev'];

/** A port of loopback that nothing listens on. */
const DEAD = '127.0.0.1:1';

/** Texts that no line of the log may have. */
export const SECRETS = {
  password: 'planted-registry-password',
  token: 'planted-cluster-token',
  environment: 'planted-environment-variable',
  annotation: 'planted-annotation',
  command: 'planted-command-line',
} as const;

export interface Gate {
  readonly mirror: Mirror;
  readonly cluster: TestCluster;
  /** `127.0.0.1:PORT` of probes and metrics. */
  readonly probes: string;
  /** Sends one review of every kind: allowed, denied, warned, undetermined, exempt, pinned, too large, no review at all. */
  sendTraffic(): Promise<void>;
  /** The lines of the log. */
  log(): readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
}

const inertWebhooks = (): Json => ({
  ...webhooksOf(...NAMES),
  metadata: {
    annotations: {
      'sailmark.dev/rules-when-ready': JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, RULES]))),
    },
  },
});

const openCluster = async (): Promise<TestCluster> => {
  const cluster = await startCluster();
  cluster.tokens = [SECRETS.token];
  cluster.put(secretPath('sailmark', 'certificates'), {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {},
  });
  cluster.put(webhookPath('sailmark'), inertWebhooks());
  for (const name of ['tags', 'images-0'])
    cluster.put(configMapPath('sailmark', name), { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} });
  const data = { 'counts.json': JSON.stringify(scanCounts()) };
  cluster.put(configMapPath('sailmark', 'scan'), { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data });
  return cluster;
};

/** The result that the job of a scan leaves for the webhook. */
const byStatus = { refused: 3, unknown: 2, reported: 1, exempt: 1, verified: 40 };
const scanCounts = () => ({
  schema: 'sailmark.dev/scan-counts/v1',
  endedAt: new Date().toISOString(),
  lastCompleteAt: new Date().toISOString(),
  complete: true,
  durationSeconds: 4.2,
  images: byStatus,
  pods: byStatus,
  preflight: byStatus,
  ownersRefused: 2,
  driftedContainers: 1,
  driftUnknownContainers: 0,
  notSeen: 0,
});

const kubernetes = {
  namespace: 'sailmark',
  activation: { webhookConfiguration: 'sailmark' },
  evidence: { tags: 'tags', images: ['images-0'] },
  scanResult: 'scan',
  certificates: {
    secret: 'certificates',
    webhookConfiguration: 'sailmark',
    dnsNames: ['sailmark.sailmark.svc', 'localhost', '127.0.0.1'],
  },
};

const configurationOf = (mirror: Mirror, directory: string): object => {
  const { registry } = mirror;
  const files = { cert: join(directory, 'none.crt'), key: join(directory, 'none.key') };
  return {
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    server: { listen: '127.0.0.1:0', probes: '127.0.0.1:0', certificate: files },
    keys: [{ file: join(directory, 'release.pub') }],
    mirrors: [
      { mirror: `${registry.host}/istio`, of: 'docker.io/istio' },
      { mirror: `${DEAD}/istio`, of: 'docker.io/istio' },
    ],
    registries: [
      {
        host: registry.host,
        plainHTTP: true,
        credentials: { dockerConfig: join(directory, 'docker.json') },
      },
      { host: DEAD, plainHTTP: true },
    ],
    exemptions: [
      {
        images: [`${registry.host}/istio/proxyv2:exempt`],
        namespaces: ['*'],
        reason: 'a test',
        owner: 'test',
        expires: '2099-01-01',
      },
    ],
    evidence: { write: join(directory, 'evidence') },
    limits: { drain: '0s' },
    kubernetes,
  };
};

/** A pod that carries everything that the log must not repeat. */
const podOf = (image: string): ReturnType<typeof pod> =>
  pod(
    {
      containers: [
        {
          name: 'app',
          image,
          args: [SECRETS.command],
          env: [{ name: 'PASSWORD', value: SECRETS.environment }],
        },
      ],
    },
    { name: 'web', annotations: { secret: SECRETS.annotation } },
  );

/** The images of the traffic: signed, unsigned, signed by a stranger, exempt, broken, out of reach, and not Istio's. */
const pushImages = (mirror: Mirror) => {
  const { registry } = mirror;
  registry.faults.set('istio/pilot', (_request, response) => {
    response.writeHead(500).end();
    return true;
  });
  return {
    signed: mirror.add(),
    unsigned: mirror.add({ by: false }),
    foreign: mirror.add({ by: createSigner() }),
    exempt: mirror.add({ by: false, tag: 'exempt' }),
    broken: `${registry.host}/istio/pilot:1.28.0`,
    dead: `${DEAD}/istio/proxyv2:1.28.0`,
    other: 'docker.io/library/nginx:1',
  };
};

const createTraffic = (url: string, agent: Agent, mirror: Mirror) => {
  const images = pushImages(mirror);
  let round = 0;
  const send = (path: string, image: string, overrides: Readonly<Record<string, unknown>> = {}) =>
    postReview(`${url}${path}?timeout=5s`, agent, JSON.stringify(review(podOf(image), overrides)));
  return async (): Promise<void> => {
    round += 1;
    const { signed, unsigned, foreign, exempt, broken, dead, other } = images;
    const unreachable = dead.replace('1.28.0', `1.28.${round}`);
    await Promise.all([
      send('/validate/enforce', signed.byTag),
      send('/validate/enforce', signed.byDigest),
      send('/validate/enforce', mirror.add().byTag),
      send('/validate/enforce', unsigned.byDigest),
      send('/validate/enforce', foreign.byDigest),
      send('/validate/enforce', exempt.byTag),
      send('/validate/enforce', broken),
      send('/validate/enforce', unreachable),
      send('/validate/enforce', other),
      send('/validate/warn', unsigned.byDigest),
      send('/validate/audit', unsigned.byDigest),
      send('/validate/critical/enforce', signed.byDigest),
      send('/workloads/enforce', unsigned.byDigest),
      send('/mutate/pin', signed.byTag),
      send('/mutate/pin', unsigned.byTag),
      postReview(`${url}/validate/enforce`, agent, '{').catch(() => undefined),
      postReview(`${url}/nothing`, agent, '{}').catch(() => undefined),
    ]);
  };
};

const linesOf = (output: string): readonly Readonly<Record<string, unknown>>[] =>
  output
    .split('\n')
    .flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as Json] : []));

const writeFiles = async (directory: string, mirror: Mirror, cluster: TestCluster): Promise<void> => {
  const auth = Buffer.from(`robot:${SECRETS.password}`).toString('base64');
  await writeFile(join(directory, 'release.pub'), mirror.release.publicPem);
  await writeFile(
    join(directory, 'docker.json'),
    JSON.stringify({ auths: { [mirror.registry.host]: { auth } } }),
  );
  await writeFile(join(directory, 'token'), SECRETS.token);
  await writeFile(join(directory, 'ca.crt'), cluster.tls.ca);
  await writeFile(join(directory, 'namespace'), 'sailmark');
  await writeFile(join(directory, 'config.json'), JSON.stringify(configurationOf(mirror, directory)));
};

const untilActive = async (cluster: TestCluster, probes: string): Promise<void> => {
  for (let tries = 0; tries < 200; tries += 1) {
    await fetch(`http://${probes}/readyz`).catch(() => undefined);
    if (JSON.stringify(cluster.get(webhookPath('sailmark'))).includes('"rules":[{')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the webhook configuration was not put in force');
};

/** Starts it, and waits until it is ready and in force. */
export const startGate = async (): Promise<Gate> => {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-health-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const mirror = await startMirror();
  started.defer(() => mirror.registry.close());
  const cluster = await openCluster();
  started.defer(() => cluster.close());
  await writeFiles(directory, mirror, cluster);
  const { hostname, port } = new URL(cluster.origin);
  const child = started.use(
    startProcess(
      process.execPath,
      ['--import', SERVICE_ACCOUNT, PROGRAM, 'serve', '--config', join(directory, 'config.json')],
      { SERVICE_ACCOUNT: directory, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    ),
  );
  const { listen, probes } = await untilOutput(child, 'addresses of serve', (output) => {
    const line = linesOf(output).find(({ msg }) => msg === 'listening');
    return line as { readonly listen: string; readonly probes: string } | undefined;
  });
  await untilActive(cluster, probes);
  const { data } = cluster.get(secretPath('sailmark', 'certificates')) as {
    readonly data: Record<string, string>;
  };
  const agent = new Agent({ ca: Buffer.from(data['ca.crt'] ?? '', 'base64').toString(), keepAlive: true });
  started.defer(() => agent.destroy());
  const running = started.move();
  return {
    mirror,
    cluster,
    probes,
    sendTraffic: createTraffic(`https://${listen}`, agent, mirror),
    log: () => linesOf(child.output()),
    stop: () => running.disposeAsync(),
  };
};
