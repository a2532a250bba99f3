import { describe, expect, it } from 'vitest';
import {
  type CircuitBreaker,
  createCircuitBreaker,
  parseRetryAfter,
} from '../../src/registry/circuit-breaker.ts';
import { SourceFault } from '../../src/registry/index.ts';

const createWithClock = (): { readonly breaker: CircuitBreaker; readonly clock: { time: number } } => {
  const clock = { time: 1_000_000 };
  return { breaker: createCircuitBreaker('r.example', () => clock.time), clock };
};

/** The fault while the breaker is open, as `code: detail`; undefined: it is closed. */
const faultOf = (breaker: CircuitBreaker): string | undefined => {
  try {
    breaker.check();
    return undefined;
  } catch (error) {
    if (!(error instanceof SourceFault)) throw error;
    expect(error.asked).toBe(false);
    return `${error.code}: ${error.message}`;
  }
};
const fail = (breaker: CircuitBreaker, times: number): void => {
  for (let time = 0; time < times; time += 1) breaker.failed();
};
const DOWN = 'unavailable: r.example failed 5 times in a row; retry in a few seconds';

describe('a registry that fails', () => {
  it('is not asked after five failures in a row, for five seconds', () => {
    const { breaker, clock } = createWithClock();
    fail(breaker, 5);
    expect(faultOf(breaker)).toBe(DOWN);
    clock.time += 4_999;
    expect(faultOf(breaker)).toBe(DOWN);
    clock.time += 1;
    expect(faultOf(breaker)).toBeUndefined();
  });

  it('is asked on where an answer came between', () => {
    const { breaker } = createWithClock();
    fail(breaker, 4);
    breaker.succeeded();
    fail(breaker, 4);
    expect(faultOf(breaker)).toBeUndefined();
  });

  it('is left alone for five seconds more after each further failure', () => {
    const { breaker, clock } = createWithClock();
    fail(breaker, 5);
    clock.time += 5_000;
    breaker.failed();
    clock.time += 4_999;
    expect(faultOf(breaker)).toBe(DOWN.replace('5', '6'));
    clock.time += 1;
    expect(faultOf(breaker)).toBeUndefined();
  });
});

describe('a registry that asks for a pause', () => {
  it('with 429 is rate-limited until it is over', () => {
    const { breaker, clock } = createWithClock();
    breaker.pauseRequested({ code: 'rate-limited', retryAfter: '30' });
    expect(faultOf(breaker)).toBe('rate-limited: r.example asked to retry after 30 s');
    clock.time += 29_001;
    expect(faultOf(breaker)).toBe('rate-limited: r.example asked to retry after 1 s');
    clock.time += 999;
    expect(faultOf(breaker)).toBeUndefined();
  });

  it('with 503 is unavailable, as it was when it asked', () => {
    const { breaker } = createWithClock();
    breaker.pauseRequested({ code: 'unavailable', retryAfter: '30' });
    expect(faultOf(breaker)).toBe('unavailable: r.example asked to retry after 30 s');
  });

  it('keeps the longest pause it asked for', () => {
    const { breaker, clock } = createWithClock();
    breaker.pauseRequested({ code: 'rate-limited', retryAfter: '30' });
    breaker.pauseRequested({ code: 'unavailable', retryAfter: '2' });
    clock.time += 3_000;
    expect(faultOf(breaker)).toBe('rate-limited: r.example asked to retry after 27 s');
  });

  it('again and again with 503 is held to be down', () => {
    const { breaker, clock } = createWithClock();
    for (let time = 0; time < 5; time += 1) {
      breaker.pauseRequested({ code: 'unavailable', retryAfter: '1' });
      clock.time += 1_001;
    }
    expect(faultOf(breaker)).toBe(DOWN);
  });

  it('gets a second where it does not say how long', () => {
    const { breaker, clock } = createWithClock();
    breaker.pauseRequested({ code: 'rate-limited', retryAfter: undefined });
    expect(faultOf(breaker)).toContain('rate-limited');
    clock.time += 1_000;
    expect(faultOf(breaker)).toBeUndefined();
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

it('a breaker tells if it is open now, and if the last attempts failed', () => {
  const { breaker, clock } = createWithClock();
  const state = () => [breaker.isOpen(), breaker.isFailing()];
  fail(breaker, 4);
  expect(state()).toEqual([false, false]);
  fail(breaker, 1);
  expect(state()).toEqual([true, true]);
  clock.time += 5_000;
  expect(state()).toEqual([false, true]);
  breaker.succeeded();
  expect(state()).toEqual([false, false]);
  breaker.pauseRequested({ code: 'rate-limited', retryAfter: '9' });
  expect(state()).toEqual([true, false]);
});
