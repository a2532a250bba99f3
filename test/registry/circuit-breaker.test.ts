import { describe, expect, it } from 'vitest';
import {
  type CircuitBreaker,
  createCircuitBreaker,
  type Permit,
  parseRetryAfter,
} from '../../src/registry/circuit-breaker.ts';
import { SourceFault } from '../../src/registry/index.ts';

const clocked = (): { readonly health: CircuitBreaker; readonly clock: { time: number } } => {
  const clock = { time: 1_000_000 };
  return { health: createCircuitBreaker('r.example', () => clock.time), clock };
};

/** A visit, or the fault in its place as `code: detail`. */
const admit = (health: CircuitBreaker): Permit | string => {
  try {
    return health.acquire();
  } catch (error) {
    if (!(error instanceof SourceFault)) throw error;
    expect(error.asked).toBe(false);
    return `${error.code}: ${error.message}`;
  }
};
const fail = (health: CircuitBreaker, times: number): void => {
  for (let time = 0; time < times; time += 1) health.acquire().failed();
};
const DOWN = 'unavailable: r.example failed 5 times in a row; retry in a few seconds';

describe('a registry that fails', () => {
  it('is not asked after five failures in a row, for five seconds', () => {
    const { health, clock } = clocked();
    fail(health, 5);
    expect(admit(health)).toBe(DOWN);
    clock.time += 4_999;
    expect(admit(health)).toBe(DOWN);
    clock.time += 1;
    expect(admit(health)).toBeTypeOf('object');
  });

  it('is asked on where an answer came between', () => {
    const { health } = clocked();
    fail(health, 4);
    health.acquire().succeeded();
    fail(health, 4);
    expect(admit(health)).toBeTypeOf('object');
  });

  it('is probed by one question only, however many come at once', () => {
    const { health, clock } = clocked();
    fail(health, 5);
    clock.time += 5_000;
    const probe = health.acquire();
    expect([admit(health), admit(health)]).toEqual([DOWN, DOWN]);
    probe.succeeded();
    expect(admit(health)).toBeTypeOf('object');
  });

  it.each(['succeeded', 'failed', 'abandoned'] as const)(
    'lets those who wait for the probe know that it has ended: %s',
    async (how) => {
      const { health, clock } = clocked();
      fail(health, 5);
      clock.time += 5_000;
      expect(health.probe()).toBeUndefined();
      const probe = health.acquire();
      const waiting = health.probe();
      expect(waiting).toBeInstanceOf(Promise);
      probe[how]();
      await waiting;
      expect(health.probe()).toBeUndefined();
    },
  );

  it('is left alone for five seconds more where the probe fails', () => {
    const { health, clock } = clocked();
    fail(health, 5);
    clock.time += 5_000;
    health.acquire().failed();
    clock.time += 4_999;
    expect(admit(health)).toContain('unavailable');
    clock.time += 1;
    expect(admit(health)).toBeTypeOf('object');
  });

  it('is probed by another question where the first told nothing', () => {
    const { health, clock } = clocked();
    fail(health, 5);
    clock.time += 5_000;
    health.acquire().abandoned();
    expect(admit(health)).toBeTypeOf('object');
    expect(admit(health)).toBe(DOWN);
  });

  it('gets no second probe from a question that was under way before', () => {
    const { health, clock } = clocked();
    const early = health.acquire();
    fail(health, 5);
    clock.time += 5_000;
    health.acquire();
    early.abandoned();
    expect(admit(health)).toBe(DOWN);
  });
});

describe('a registry that asks for a pause', () => {
  it('with 429 is rate-limited until it is over', () => {
    const { health, clock } = clocked();
    health.acquire().pauseRequested({ code: 'rate-limited', retryAfter: '30' });
    expect(admit(health)).toBe('rate-limited: r.example asked to retry after 30 s');
    clock.time += 29_001;
    expect(admit(health)).toBe('rate-limited: r.example asked to retry after 1 s');
    clock.time += 999;
    expect(admit(health)).toBeTypeOf('object');
  });

  it('with 503 is unavailable, as it was when it asked', () => {
    const { health } = clocked();
    health.acquire().pauseRequested({ code: 'unavailable', retryAfter: '30' });
    expect(admit(health)).toBe('unavailable: r.example asked to retry after 30 s');
  });

  it('keeps the longest pause it asked for', () => {
    const { health, clock } = clocked();
    const [first, second] = [health.acquire(), health.acquire()];
    first.pauseRequested({ code: 'rate-limited', retryAfter: '30' });
    second.pauseRequested({ code: 'unavailable', retryAfter: '2' });
    clock.time += 3_000;
    expect(admit(health)).toBe('rate-limited: r.example asked to retry after 27 s');
  });

  it('again and again with 503 is held to be down', () => {
    const { health, clock } = clocked();
    for (let time = 0; time < 5; time += 1) {
      health.acquire().pauseRequested({ code: 'unavailable', retryAfter: '1' });
      clock.time += 1_001;
    }
    expect(admit(health)).toBe(DOWN);
  });

  it('gets a second where it does not say how long', () => {
    const { health, clock } = clocked();
    health.acquire().pauseRequested({ code: 'rate-limited', retryAfter: undefined });
    expect(admit(health)).toContain('rate-limited');
    clock.time += 1_000;
    expect(admit(health)).toBeTypeOf('object');
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['0', 1_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 1_000],
    ['soon', 1_000],
    ['', 1_000],
    ['-5', 1_000],
    ['86400', 300_000],
    ['9'.repeat(400), 300_000],
    ['Fri, 01 Jan 2027 00:00:00 GMT', 300_000],
  ])('%s is a pause of %d ms', (text, milliseconds) => {
    expect(parseRetryAfter(text, now)).toBe(milliseconds);
  });
});
