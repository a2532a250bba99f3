import { type FaultCode, SourceFault } from './source.ts';

/** A pause that a registry asked for. */
export interface Pause {
  /** How questions are answered meanwhile. */
  readonly code: Extract<FaultCode, 'unavailable' | 'rate-limited'>;
  /** `Retry-After` as it came; undefined: 429 without one. */
  readonly retryAfter: string | undefined;
}

/** One question that was let through. Exactly one of its functions is called, once. */
export interface Permit {
  /** The registry answered, whatever it said. */
  succeeded(): void;
  /** It did not: no connection, a failing TLS handshake, 5xx, no answer in time. */
  failed(): void;
  pauseRequested(pause: Pause): void;
  /** The question ended without telling anything of the registry: its caller left. */
  abandoned(): void;
}

/** How one registry has been doing: what it asked for (Retry-After), and whether asking it makes sense now. */
export interface CircuitBreaker {
  /** Throws a fault at once where the registry asked for a pause or is held to be down; else lets the question through. */
  acquire(): Permit;
  /** Settles when the one question ends that was let through to see whether the registry is back; undefined: none is. */
  probe(): Promise<void> | undefined;
}

/** Consecutive failures after which a registry is held to be down. */
const FAILURES = 5;
/** Milliseconds until one question is let through again to see whether it is back. */
const COOLING = 5_000;
/** Milliseconds of a pause that does not say how long, or says nothing sensible. */
const SHORTEST_PAUSE = 1_000;
/** Milliseconds: a registry that asks for a longer pause is asked again after this one. */
const LONGEST_PAUSE = 300_000;

/** Seconds or a date (RFC 9110 §10.2.3), in milliseconds from now. */
export const parseRetryAfter = (text: string, now: number): number => {
  const pause = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(pause) ? SHORTEST_PAUSE : Math.min(Math.max(pause, SHORTEST_PAUSE), LONGEST_PAUSE);
};

const paused = (registry: string, code: FaultCode, milliseconds: number): SourceFault =>
  new SourceFault(code, `${registry} asked for a pause of ${Math.ceil(milliseconds / 1000)} s more`, {
    asked: false,
  });

const down = (registry: string, failures: number): SourceFault =>
  new SourceFault(
    'unavailable',
    `${registry} failed ${failures} times in a row and is asked again in a few seconds`,
    {
      asked: false,
    },
  );

export const createCircuitBreaker = (registry: string, now: () => number): CircuitBreaker => {
  let failures = 0;
  let closedUntil = 0;
  let pause = { until: 0, code: 'rate-limited' as Pause['code'] };
  let probing: PromiseWithResolvers<void> | undefined;

  const visit = (isProbe: boolean): Permit => {
    // Questions from before it was held to be down end later; they must not make room for a second probe.
    const end = (): void => {
      if (!isProbe) return;
      probing?.resolve();
      probing = undefined;
    };
    const failed = (): void => {
      end();
      failures += 1;
      closedUntil = now() + COOLING;
    };
    return {
      succeeded() {
        end();
        failures = 0;
      },
      failed,
      pauseRequested({ code, retryAfter }) {
        if (code === 'unavailable') failed();
        else end();
        const until =
          now() + (retryAfter === undefined ? SHORTEST_PAUSE : parseRetryAfter(retryAfter, now()));
        if (until > pause.until) pause = { until, code };
      },
      abandoned: end,
    };
  };

  return {
    acquire() {
      const time = now();
      if (time < pause.until) throw paused(registry, pause.code, pause.until - time);
      const isProbe = failures >= FAILURES;
      if (isProbe && (time < closedUntil || probing !== undefined)) throw down(registry, failures);
      if (isProbe) probing = Promise.withResolvers();
      return visit(isProbe);
    },
    probe: () => probing?.promise,
  };
};
