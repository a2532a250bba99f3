import { messageOf } from '../base/index.ts';
import type { CertificateSettings } from '../config/index.ts';
import { createReconcile, type ReconcileOptions } from './reconcile.ts';
import { mayRotate, type ServedCertificate, servedBy } from './rotation.ts';
import type { CertificatePair } from './state.ts';
import type { TrustResult } from './trust.ts';

export interface CertificatesOptions extends ReconcileOptions {
  /** Told, after each reconciliation, of the end of the CA that issues: milliseconds since the epoch. */
  readonly onAuthority?: (until: number) => void;
}

/** The certificates that the webhook issues to itself. */
export interface Certificates {
  /**
   * Returns the certificate to serve, once its CA is in the webhook configuration: the one in the Secret, or a new one if
   * the Secret has none. Rejects if there is none, with a `ClusterFault` if the API server refused a request.
   */
  ensure(signal: AbortSignal): Promise<CertificatePair>;
  /** Makes the CAs of the Secret trusted again, for when the webhook configurations may have lost them. */
  restoreTrust(signal: AbortSignal): Promise<void>;
  /**
   * Reconciles the certificates from now on, and calls `onChange` with each one that is to be served next. Never throws:
   * failures are events. If `onChange` throws, that is a failure too, and the certificate is offered again.
   */
  watch(onChange: (pair: CertificatePair) => void): { stop(): void };
}

/**
 * The longest interval between two reconciliations. A webhook configuration that was deleted and created again has no
 * caBundle until the next one, and with failurePolicy Fail no Istio pod can start until then.
 */
const RECONCILE_INTERVAL_MS = 10_000;
const RECONCILE_TIMEOUT_MS = 30_000;

/** Random, so that replicas do not reconcile at the same time; an overlap contains at least three reconciliations. */
const untilNextReconciliation = ({ overlap }: CertificateSettings): number =>
  Math.min(RECONCILE_INTERVAL_MS, overlap / 4) * (0.75 + Math.random() / 2);

/** Repeats work, `wait()` milliseconds after the last run ended. Does not keep the process alive. */
const repeat = (work: (signal: AbortSignal) => Promise<void>, wait: () => number): { stop(): void } => {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const scheduleNext = (): void => {
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => void work(stopping.signal).finally(scheduleNext), wait());
    timer.unref();
  };
  scheduleNext();
  return {
    stop() {
      stopping.abort();
      clearTimeout(timer);
    },
  };
};

const pairOf = ({ leaf: { cert, key } }: ServedCertificate): CertificatePair => ({ cert, key });

/** Creates the webhook's own certificates, which are issued and rotated later. Sends no request to the cluster yet. */
export const createCertificates = (options: CertificatesOptions): Certificates => {
  const { settings, now, onEvent } = options;
  const reconcileOnce = createReconcile(options);
  const reconcile = async (signal: AbortSignal): Promise<TrustResult> => {
    const result = await reconcileOnce(signal);
    const until = result.state.issuer?.until;
    if (until !== undefined) options.onAuthority?.(until);
    return result;
  };
  let served: ServedCertificate | undefined;

  /** Returns the certificate to rotate to, or undefined if the served one stays. */
  const findOffered = ({ state, trustedSince }: TrustResult): ServedCertificate | undefined => {
    const offered = servedBy(state);
    if (offered === undefined || trustedSince === undefined) return undefined;
    const context = { state, trustedSince, now: now(), overlap: settings.overlap };
    return mayRotate(offered, served, context) ? offered : undefined;
  };

  const rotateIfDue = async (
    onChange: (pair: CertificatePair) => void,
    signal: AbortSignal,
  ): Promise<void> => {
    const offered = findOffered(await reconcile(signal));
    if (offered === undefined || signal.aborted) return;
    onChange(pairOf(offered));
    served = offered;
    const until = new Date(offered.leaf.until).toISOString();
    onEvent({ code: 'certificate-handed-over', detail: `valid until ${until}` });
  };

  return {
    async ensure(signal) {
      served = findOffered(await reconcile(signal)) ?? served;
      if (served === undefined) throw new Error('there is no certificate to serve');
      return pairOf(served);
    },
    async restoreTrust(signal) {
      await reconcile(signal);
    },
    watch: (onChange) =>
      repeat(
        (stopped) =>
          rotateIfDue(onChange, AbortSignal.any([stopped, AbortSignal.timeout(RECONCILE_TIMEOUT_MS)])).catch(
            (error: unknown) => {
              if (!stopped.aborted) onEvent({ code: 'certificates-failed', detail: messageOf(error) });
            },
          ),
        () => untilNextReconciliation(settings),
      ),
  };
};
