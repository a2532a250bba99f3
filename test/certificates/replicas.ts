import { afterEach } from 'vitest';
import {
  type CertificateEvent,
  type Certificates,
  createCertificates,
} from '../../src/certificates/index.ts';
import type { CertificateSettings } from '../../src/config/index.ts';
import { openCluster } from '../../src/kubernetes/index.ts';
import {
  secretOf,
  secretPath,
  startCluster,
  type TestCluster,
  webhookPath,
  webhooksOf,
} from '../support/cluster-server.ts';

/*
 * An API server with the objects of the chart, and replicas that issue their own certificates.
 */

export const SECRET = secretPath('sailmark', 'certificates');
export const WEBHOOKS = webhookPath('sailmark');

const HOUR = 3_600_000;

export const SETTINGS: CertificateSettings = {
  secret: 'certificates',
  webhookConfiguration: 'sailmark',
  dnsNames: ['localhost', '127.0.0.1'],
  caLifetime: 8760 * HOUR,
  lifetime: 720 * HOUR,
  overlap: 600_000,
};

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** Calls `close` when the test ends, in reverse order. */
export const closeAfterTest = (close: () => Promise<void> | void): void => void opened.push(close);

/** Starts an API server with an empty Secret and two webhook entries, as the chart creates them. */
export const startApiServer = async (): Promise<TestCluster> => {
  const server = await startCluster();
  closeAfterTest(() => server.close());
  server.put(SECRET, { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: {} });
  server.put(WEBHOOKS, webhooksOf('enforce.sailmark.dev', 'audit.sailmark.dev'));
  return server;
};

export interface Replica {
  readonly certificates: Certificates;
  readonly events: CertificateEvent[];
  codes(): readonly string[];
  /** The ends of the CA that issues, after each reconciliation. */
  readonly authorityEnds: readonly number[];
}

/** Starts one replica, with `now` as its clock. */
export const startReplica = async (
  server: TestCluster,
  settings: Partial<CertificateSettings> = {},
  now: () => number = Date.now,
): Promise<Replica> => {
  const cluster = await openCluster({ kubeconfig: server.kubeconfig() });
  closeAfterTest(() => cluster.close());
  const events: CertificateEvent[] = [];
  const authorityEnds: number[] = [];
  const certificates = createCertificates({
    cluster,
    settings: { ...SETTINGS, ...settings },
    namespace: 'sailmark',
    now,
    onEvent: (event) => void events.push(event),
    onAuthority: (until) => void authorityEnds.push(until),
  });
  return { certificates, events, authorityEnds, codes: () => events.map(({ code }) => code) };
};

/** The Secret's data, decoded. */
export const secretDataOf = (server: TestCluster): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries((server.get(SECRET)?.['data'] ?? {}) as Record<string, string>).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );

/** Writes the Secret as another client would. */
export const writeSecretData = (server: TestCluster, data: Readonly<Record<string, string>>): void =>
  server.put(SECRET, secretOf(data));

interface Entry {
  readonly clientConfig: { readonly caBundle?: string };
}

/** The `caBundle` of each webhook entry, as text. */
export const caBundlesOf = (server: TestCluster, path = WEBHOOKS): readonly string[] =>
  ((server.get(path) ?? {})['webhooks'] as readonly Entry[]).map(({ clientConfig: { caBundle = '' } }) =>
    Buffer.from(caBundle, 'base64').toString(),
  );

export const testDeadline = (milliseconds = 10_000): AbortSignal => AbortSignal.timeout(milliseconds);
