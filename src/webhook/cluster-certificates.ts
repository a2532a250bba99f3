import { setTimeout as delay } from 'node:timers/promises';
import { createCertificates } from '../certificates/index.ts';
import type { CertificateSettings } from '../config/index.ts';
import { type Cluster, ClusterFault } from '../kubernetes/index.ts';
import type { Log, Metrics } from '../observability/index.ts';
import { type CertificateSource, parsePair, withFallback } from '../server/index.ts';

/** The time limit for the first certificate, after which the mounted one is tried. */
const FIRST_CERTIFICATE_TIMEOUT_MS = 10_000;
const RETRY_INTERVAL_MS = 3_000;

interface ClusterCertificatesOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly settings: CertificateSettings;
  /** The mounted certificate files, for the time in which the API server does not respond. */
  readonly mounted: CertificateSource;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'setAuthorityEnd'>;
  readonly shutdown: AbortSignal;
}

/** The certificates that the webhook issues to itself and stores in a Secret. */
export interface ClusterCertificates {
  readonly source: CertificateSource;
  readonly restoreTrust: (signal: AbortSignal) => Promise<void>;
}

export const createClusterCertificates = (options: ClusterCertificatesOptions): ClusterCertificates => {
  const { restoreTrust, ...issued } = createIssued(options);
  return { source: withRetries(withFallback(issued, options.mounted, mayUseMounted), options), restoreTrust };
};

const createIssued = ({
  cluster,
  namespace,
  settings,
  log,
  metrics,
}: ClusterCertificatesOptions): CertificateSource & Pick<ClusterCertificates, 'restoreTrust'> => {
  const names = {
    cert: `tls.crt of the Secret ${settings.secret}`,
    key: `tls.key of the Secret ${settings.secret}`,
  };
  const certificates = createCertificates({
    cluster,
    settings,
    namespace,
    now: Date.now,
    onAuthority: metrics.setAuthorityEnd,
    onEvent: ({ code, detail }) =>
      log[code === 'certificates-failed' ? 'warn' : 'info']({ code, detail }, 'certificates'),
  });
  return {
    first: async () =>
      parsePair(await certificates.ensure(AbortSignal.timeout(FIRST_CERTIFICATE_TIMEOUT_MS)), names),
    restoreTrust: certificates.restoreTrust,
    watch: ({ onChange }) => certificates.watch((pair) => onChange(parsePair(pair, names))).stop,
  };
};

/**
 * True if the mounted certificate may serve in place of an issued one: the API server is unavailable or overloaded, or the
 * webhook configuration does not exist, so that the API server calls no webhook. Any other status is a refusal.
 */
const mayUseMounted = (error: unknown): boolean =>
  !(error instanceof ClusterFault) ||
  error.status === undefined ||
  error.status === 404 ||
  error.status === 429 ||
  error.status >= 500;

/** Retries until there is a first certificate: a process that exits instead is restarted with growing delays. */
const withRetries = (
  source: CertificateSource,
  { log, shutdown }: Pick<ClusterCertificatesOptions, 'log' | 'shutdown'>,
): CertificateSource => ({
  ...source,
  async first() {
    for (;;) {
      try {
        return await source.first();
      } catch (err) {
        shutdown.throwIfAborted();
        log.warn({ err }, 'no certificate yet; retrying');
        await delay(RETRY_INTERVAL_MS, undefined, { signal: shutdown }).catch(() =>
          shutdown.throwIfAborted(),
        );
      }
    }
  },
});
