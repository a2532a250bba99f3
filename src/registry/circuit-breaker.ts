import { type FaultCode, SourceFault } from './source.ts';

/** A pause that a registry requested. */
export interface Pause {
  /** The code of the faults that requests end with during the pause. */
  readonly code: Extract<FaultCode, 'unavailable' | 'rate-limited'>;
  /** The value of `Retry-After`; undefined: 429 without one. */
  readonly retryAfter: string | undefined;
}

/** The permission to send one request. The caller calls exactly one of its functions, once. */
export interface Permit {
  /** The registry responded, with whatever status. */
  succeeded(): void;
  /** The registry did not respond: no connection, a failed TLS handshake, 5xx, a timeout. */
  failed(): void;
  pauseRequested(pause: Pause): void;
  /** The request ended without a result, because its caller left. */
  abandoned(): void;
}

/**
 * The circuit breaker of one registry. It opens after consecutive failures, or for the pause that the registry requested
 * (Retry-After). When half-open it permits one request, the probe, which closes it or opens it again.
 */
export interface CircuitBreaker {
  /** Returns a permit for one request. Throws a fault if the breaker is open, or half-open with a probe in flight. */
  acquire(): Permit;
  /** Settles when the probe in flight ends; undefined: no probe is in flight. */
  probe(): Promise<void> | undefined;
}

const MAX_CONSECUTIVE_FAILURES = 5;
/** The time that the breaker stays open before it permits a probe. */
const OPEN_MS = 5_000;
/** The pause if the registry states none, or a malformed one. */
const MIN_PAUSE_MS = 1_000;
/** A longer pause is cut to this one. */
const MAX_PAUSE_MS = 300_000;

/** Parses seconds or a date (RFC 9110 §10.2.3) into milliseconds from now. */
export const parseRetryAfter = (text: string, now: number): number => {
  const pause = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(pause) ? MIN_PAUSE_MS : Math.min(Math.max(pause, MIN_PAUSE_MS), MAX_PAUSE_MS);
};

const pausedFault = (registry: string, code: FaultCode, milliseconds: number): SourceFault =>
  new SourceFault(code, `${registry} asked to retry after ${Math.ceil(milliseconds / 1000)} s`, {
    asked: false,
  });

const openFault = (registry: string, failures: number): SourceFault =>
  new SourceFault('unavailable', `${registry} failed ${failures} times in a row; retry in a few seconds`, {
    asked: false,
  });

export const createCircuitBreaker = (registry: string, now: () => number): CircuitBreaker => {
  let failures = 0;
  let openUntil = 0;
  let pause = { until: 0, code: 'rate-limited' as Pause['code'] };
  let probing: PromiseWithResolvers<void> | undefined;

  const createPermit = (isProbe: boolean): Permit => {
    // Requests from before the breaker opened end later; they must not make room for a second probe.
    const endProbe = (): void => {
      if (!isProbe) return;
      probing?.resolve();
      probing = undefined;
    };
    const failed = (): void => {
      endProbe();
      failures += 1;
      openUntil = now() + OPEN_MS;
    };
    return {
      succeeded() {
        endProbe();
        failures = 0;
      },
      failed,
      pauseRequested({ code, retryAfter }) {
        if (code === 'unavailable') failed();
        else endProbe();
        const until = now() + (retryAfter === undefined ? MIN_PAUSE_MS : parseRetryAfter(retryAfter, now()));
        if (until > pause.until) pause = { until, code };
      },
      abandoned: endProbe,
    };
  };

  return {
    acquire() {
      const time = now();
      if (time < pause.until) throw pausedFault(registry, pause.code, pause.until - time);
      const isProbe = failures >= MAX_CONSECUTIVE_FAILURES;
      if (isProbe && (time < openUntil || probing !== undefined)) throw openFault(registry, failures);
      if (isProbe) probing = Promise.withResolvers();
      return createPermit(isProbe);
    },
    probe: () => probing?.promise,
  };
};
