import { type FaultCode, SourceFault } from './source.ts';

/** A pause that a registry requested. */
export interface Pause {
  /** The code of the faults that requests end with during the pause. */
  readonly code: Extract<FaultCode, 'unavailable' | 'rate-limited'>;
  /** The value of `Retry-After`; undefined: 429 without one. */
  readonly retryAfter: string | undefined;
}

/** Opens after consecutive failures for a few seconds, or for the pause that was requested (Retry-After). */
export interface CircuitBreaker {
  /** Throws a fault while the breaker is open. */
  check(): void;
  /** A response came, with whatever status. */
  succeeded(): void;
  failed(): void;
  pauseRequested(pause: Pause): void;
  /** True if the last attempts failed, so many that the breaker opens after each; it stays true until one succeeds. */
  isFailing(): boolean;
  /** True if `check` would throw now. */
  isOpen(): boolean;
}

const MAX_CONSECUTIVE_FAILURES = 5;
/** The time that the breaker stays open after each further failure. */
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

const pausedFault = (subject: string, code: FaultCode, milliseconds: number): SourceFault =>
  new SourceFault(code, `${subject} asked to retry after ${Math.ceil(milliseconds / 1000)} s`, {
    asked: false,
  });

const openFault = (subject: string, failures: number): SourceFault =>
  new SourceFault('unavailable', `${subject} failed ${failures} times in a row; retry in a few seconds`, {
    asked: false,
  });

/** Creates a breaker; `subject` is what its faults name. */
export const createCircuitBreaker = (subject: string, now: () => number): CircuitBreaker => {
  let failures = 0;
  let openUntil = 0;
  let pause = { until: 0, code: 'rate-limited' as Pause['code'] };
  const failed = (): void => {
    failures += 1;
    openUntil = now() + OPEN_MS;
  };
  return {
    check() {
      const time = now();
      if (time < pause.until) throw pausedFault(subject, pause.code, pause.until - time);
      if (failures >= MAX_CONSECUTIVE_FAILURES && time < openUntil) throw openFault(subject, failures);
    },
    succeeded() {
      failures = 0;
    },
    isFailing: () => failures >= MAX_CONSECUTIVE_FAILURES,
    isOpen: () => now() < pause.until || (failures >= MAX_CONSECUTIVE_FAILURES && now() < openUntil),
    failed,
    pauseRequested({ code, retryAfter }) {
      if (code === 'unavailable') failed();
      const until = now() + (retryAfter === undefined ? MIN_PAUSE_MS : parseRetryAfter(retryAfter, now()));
      if (until > pause.until) pause = { until, code };
    },
  };
};
