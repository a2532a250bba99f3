import { describe, expect, it } from 'vitest';
import { deadlineOf, maxWaitMs } from '../../src/server/deadline.ts';

const limits = { reviewMargin: 1000, reviewDeadline: 10_000 };
const abortAfterMsFor = (timeout: unknown): number => deadlineOf(timeout, limits).abortAfterMs;

describe('the deadline of a review', () => {
  it('is the default where the timeout is none, or no duration', () => {
    for (const timeout of [undefined, '', '10', 'ten', '-1s', '0s', '0', '1.5s', ['5s', '9s'], '1s1s'])
      expect(abortAfterMsFor(timeout)).toBe(10_000);
  });

  it('is the timeout less a margin', () => {
    expect(abortAfterMsFor('10s')).toBe(9000);
    expect(abortAfterMsFor('30s')).toBe(29_000);
    expect(abortAfterMsFor('2s')).toBe(1000);
    expect(abortAfterMsFor('5000ms')).toBe(4000);
  });

  it('is half of the timeout where that is a second or less', () => {
    expect(abortAfterMsFor('1s')).toBe(500);
    expect(abortAfterMsFor('500ms')).toBe(250);
  });

  it('is that of 30 s for any longer timeout: no API server waits longer', () => {
    expect(abortAfterMsFor('1m30s')).toBe(29_000);
    expect(abortAfterMsFor('999h')).toBe(29_000);
  });

  it('leaves time between giving up and the answer, and between the answer and the caller', () => {
    for (const [timeout, whole] of [
      ['1s', 1000],
      ['2s', 2000],
      ['10s', 10_000],
      ['30s', 30_000],
    ] as const) {
      const deadline = deadlineOf(timeout, limits);
      expect(deadline.respondAfterMs).toBeGreaterThan(deadline.abortAfterMs);
      expect(deadline.respondAfterMs).toBeLessThan(whole);
    }
  });

  it('bounds what a drain waits for', () => {
    expect(maxWaitMs(limits)).toBe(30_000);
    expect(maxWaitMs({ reviewMargin: 5000, reviewDeadline: 30_000 })).toBe(35_000);
  });
});
