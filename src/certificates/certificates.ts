import { messageOf } from '../base/index.ts';
import type { CertificateSettings } from '../config/index.ts';
import { createReconcile, type ReconcileOptions } from './reconcile.ts';
import { mayRotate, type ServedCertificate, servedBy } from './rotation.ts';
import type { CertificatePair } from './state.ts';
import type { TrustResult } from './trust.ts';

export type CertificatesOptions = ReconcileOptions;

/** The certificates that the webhook issues to itself. */
export interface Certificates {
  /**
   * The certificate to serve by, once its CA is in the webhook configuration: the Secret's, or one that is issued where
   * that has none to serve by. Rejects where that cannot be said, with a `ClusterFault` for what the API refused.
   */
  ensure(signal: AbortSignal): Promise<CertificatePair>;
  /**
   * Sees to the certificates from now on, and calls `onChange` with each one that is to be served next. Never throws;
   * failures are events. What `onChange` throws is a failure as well: the certificate is offered again.
   */
  watch(onChange: (pair: CertificatePair) => void): { stop(): void };
}

/**
 * Milliseconds between two looks at most, and for one of them. A webhook configuration that was deleted and made anew has
 * no caBundle until the next look, and lets no Istio pod start where it refuses without an answer.
 */
const LOOK = 10_000;
const LOOK_DEADLINE = 30_000;

/** Several replicas must not look at once; four looks fit into an overlap. */
const untilNextLook = ({ overlap }: CertificateSettings): number =>
  Math.min(LOOK, overlap / 4) * (0.75 + Math.random() / 2);

/** Does work again and again, `wait()` milliseconds after it was done last. Keeps no process alive. */
const repeat = (work: (signal: AbortSignal) => Promise<void>, wait: () => number): { stop(): void } => {
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const later = (): void => {
    if (end.signal.aborted) return;
    timer = setTimeout(() => void work(end.signal).finally(later), wait());
    timer.unref();
  };
  later();
  return {
    stop() {
      end.abort();
      clearTimeout(timer);
    },
  };
};

const pairOf = ({ leaf: { cert, key } }: ServedCertificate): CertificatePair => ({ cert, key });

/** Creates what issues, rotates and hands over certificates. Asks nothing of the cluster yet. */
export const createCertificates = (options: CertificatesOptions): Certificates => {
  const { settings, now, onEvent } = options;
  const settle = createReconcile(options);
  let served: ServedCertificate | undefined;

  /** What is to be served, and is not yet. */
  const findOffered = ({ state, trustedSince }: TrustResult): ServedCertificate | undefined => {
    const offered = servedBy(state);
    if (offered === undefined || trustedSince === undefined) return undefined;
    const context = { state, trustedSince, now: now(), overlap: settings.overlap };
    return mayRotate(offered, served, context) ? offered : undefined;
  };

  const look = async (onChange: (pair: CertificatePair) => void, signal: AbortSignal): Promise<void> => {
    const offered = findOffered(await settle(signal));
    if (offered === undefined || signal.aborted) return;
    onChange(pairOf(offered));
    served = offered;
    const ends = new Date(offered.leaf.until).toISOString();
    onEvent({ code: 'certificate-handed-over', detail: `it ends at ${ends}` });
  };

  return {
    async ensure(signal) {
      served = findOffered(await settle(signal)) ?? served;
      if (served === undefined) throw new Error('there is no certificate to serve by');
      return pairOf(served);
    },
    watch: (onChange) =>
      repeat(
        (ended) =>
          look(onChange, AbortSignal.any([ended, AbortSignal.timeout(LOOK_DEADLINE)])).catch(
            (error: unknown) => {
              if (!ended.aborted) onEvent({ code: 'certificates-failed', detail: messageOf(error) });
            },
          ),
        () => untilNextLook(settings),
      ),
  };
};
