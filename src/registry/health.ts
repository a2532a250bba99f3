import { SourceFault } from './source.ts';

/** How one registry has been doing: what it asked for (Retry-After), and whether asking it makes sense now. */
export interface Health {
  /** Throws a fault at once where the registry asked for a pause or is held to be down; else lets the question through. */
  check(): void;
  /** It answered, whatever it said. */
  answered(): void;
  /** It did not: no connection, a failing TLS handshake, 5xx, no answer in time. */
  failed(): void;
  /** 429 or 503 with `Retry-After`, as the header has it. */
  asksForPause(retryAfter: string): void;
  /** The question ended without telling anything of the registry: its caller left. */
  left(): void;
}

/** Consecutive failures after which a registry is held to be down. */
const FAILURES = 5;
/** Milliseconds until one question is let through again to see whether it is back. */
const COOLING = 5_000;
/** Milliseconds: a registry that asks for a longer pause is asked again after this one. */
const LONGEST_PAUSE = 300_000;

/** Seconds or a date (RFC 9110 §10.2.3), in milliseconds from now; 0 where it is neither. */
const parseRetryAfter = (text: string, now: number): number => {
  const pause = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(pause) ? 0 : Math.min(Math.max(pause, 0), LONGEST_PAUSE);
};

export const createHealth = (registry: string, now: () => number): Health => {
  let failures = 0;
  let closedUntil = 0;
  let pausedUntil = 0;
  let probing = false;
  return {
    check() {
      const time = now();
      if (time < pausedUntil)
        throw new SourceFault(
          'rate-limited',
          `${registry} asked for a pause of ${Math.ceil((pausedUntil - time) / 1000)} s more`,
          {
            asked: false,
          },
        );
      if (failures < FAILURES) return;
      if (time < closedUntil || probing)
        throw new SourceFault(
          'unavailable',
          `${registry} failed ${failures} times in a row and is asked again in a few seconds`,
          {
            asked: false,
          },
        );
      probing = true;
    },
    answered() {
      failures = 0;
      probing = false;
    },
    failed() {
      failures += 1;
      probing = false;
      closedUntil = now() + COOLING;
    },
    asksForPause(retryAfter) {
      probing = false;
      pausedUntil = now() + parseRetryAfter(retryAfter, now());
    },
    left() {
      probing = false;
    },
  };
};
