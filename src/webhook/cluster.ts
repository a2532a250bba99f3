import { setTimeout as pause } from 'node:timers/promises';
import { type ReportError } from '../base/index.ts';
import { createCertificates } from '../certificates/index.ts';
import type { CertificateSettings, Config, KubernetesSettings } from '../config/index.ts';
import { type Cluster, ClusterFault, openCluster } from '../kubernetes/index.ts';
import { createEventLog, type Log, type Metrics, type RecordReview } from '../observability/index.ts';
import type { Judge } from '../policy/index.ts';
import { type CertificateSource, createFileCertificates, parsePair, withFallback } from '../server/index.ts';
import { warmUp } from './warm-up.ts';

/** What a webhook has of the cluster it runs in. With nothing of it, it judges all the same. */
export interface ClusterConnection {
  /** Undefined: the API is not asked, or cannot be. */
  readonly cluster: Cluster | undefined;
  readonly certificate: CertificateSource;
  /** Told of each answered review. */
  readonly recordEvents: (record: Parameters<RecordReview>[0]) => void;
  /** Verifies what already runs, for a while at most. Never rejects. */
  readonly warmUp: (judge: Judge) => Promise<void>;
  close(): Promise<void>;
}

interface ClusterDependencies {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly report: ReportError;
  readonly shutdown: AbortSignal;
  /** The pod's name. */
  readonly instance: string;
}

/** Images that warming up asks about at once; reviews do not wait for it. */
const WARM_AT_ONCE = 4;

/** Milliseconds that the first certificate may take, before the mounted one is looked at, and between two tries. */
const PATIENCE = 10_000;
const BETWEEN = 3_000;

const open = (log: Log): Promise<Cluster | undefined> =>
  openCluster({}).catch((err: unknown) => {
    log.warn({ err }, 'the API of the cluster cannot be asked; reviews are judged without it');
    return undefined;
  });

/** The certificates that the webhook issues to itself, by the API. */
const issueBy = (
  cluster: Cluster,
  { namespace }: KubernetesSettings,
  settings: CertificateSettings,
  log: Log,
): CertificateSource => {
  const from = {
    cert: `tls.crt of the Secret ${settings.secret}`,
    key: `tls.key of the Secret ${settings.secret}`,
  };
  const certificates = createCertificates({
    cluster,
    settings,
    namespace,
    now: Date.now,
    onEvent: ({ code, detail }) =>
      log[code === 'certificates-failed' ? 'warn' : 'info']({ code, detail }, 'certificates'),
  });
  return {
    first: async () => parsePair(await certificates.ensure(AbortSignal.timeout(PATIENCE)), from),
    watch: ({ onChange: use }) => certificates.watch((pair) => use(parsePair(pair, from))).stop,
  };
};

/**
 * Whether what is mounted may serve for now: the API server gave no answer of its own (a refusal is one), or there is no
 * webhook configuration, for somebody took it away, and nobody is sent to us.
 */
const mayMountedServe = (error: unknown): boolean =>
  !(error instanceof ClusterFault) ||
  error.status === undefined ||
  error.status === 404 ||
  error.status === 429 ||
  error.status >= 500;

/** Tries until there is a certificate: a webhook that ends for want of one is started again later and later. */
const untilIssued = (
  source: CertificateSource,
  { log, shutdown: ended }: ClusterDependencies,
): CertificateSource => ({
  ...source,
  async first() {
    for (;;) {
      try {
        return await source.first();
      } catch (err) {
        ended.throwIfAborted();
        log.warn({ err }, 'there is no certificate yet; trying again');
        await pause(BETWEEN, undefined, { signal: ended }).catch(() => ended.throwIfAborted());
      }
    }
  },
});

const createWarm =
  (
    cluster: Cluster,
    { warmUp: patience }: KubernetesSettings,
    { log, shutdown: ended }: ClusterDependencies,
  ) =>
  async (judge: Judge): Promise<void> => {
    if (patience === 0) return;
    const signal = AbortSignal.any([ended, AbortSignal.timeout(patience)]);
    const found = await warmUp({
      images: cluster.podImages(signal),
      judge,
      maxConcurrent: WARM_AT_ONCE,
      signal,
    });
    log.info(found, 'warmed up by the images that run');
  };

/** Joins the cluster as the configuration allows. Rejects with nothing but the reason of `ended`. */
export const joinCluster = async (
  config: Config,
  surroundings: ClusterDependencies,
): Promise<ClusterConnection> => {
  const { log, metrics, report, instance } = surroundings;
  const { kubernetes } = config;
  const files = createFileCertificates(config.server.certificate);
  const cluster = kubernetes === undefined ? undefined : await open(log);
  if (kubernetes === undefined || cluster === undefined)
    return {
      cluster,
      certificate: files,
      recordEvents: () => {},
      warmUp: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  const { certificates, events } = kubernetes;
  const eventLog = events
    ? createEventLog({ write: cluster.writeEvent, now: Date.now, report, metrics, instance })
    : undefined;
  return {
    cluster,
    certificate:
      certificates === undefined
        ? files
        : untilIssued(
            withFallback(issueBy(cluster, kubernetes, certificates, log), files, mayMountedServe),
            surroundings,
          ),
    recordEvents: (record) => eventLog?.add(record),
    warmUp: createWarm(cluster, kubernetes, surroundings),
    async close() {
      await eventLog?.close();
      await cluster.close();
    },
  };
};
