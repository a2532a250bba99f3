import { describe, expect, it } from 'vitest';
import { createTokenBucket } from '../../src/base/index.ts';

/** A bucket whose clock the test sets. */
const createTestBucket = (burst: number, perSecond: number) => {
  let at = 0;
  const { take } = createTokenBucket({ burst, perSecond }, () => at);
  return (now: number): boolean => {
    at = now;
    return take();
  };
};

describe('a token bucket', () => {
  it('is full at first, and has no more than that', () => {
    const takeAt = createTestBucket(3, 1);
    expect([0, 0, 0, 0].map(takeAt)).toEqual([true, true, true, false]);
  });

  it('gains as it is said to, in parts', () => {
    const takeAt = createTestBucket(1, 0.5);
    expect([0, 1000, 1999, 2000, 2000].map(takeAt)).toEqual([true, false, false, true, false]);
  });

  it('never holds more than a burst, however long nobody takes', () => {
    const takeAt = createTestBucket(2, 1);
    expect([3_600_000, 3_600_000, 3_600_000].map(takeAt)).toEqual([true, true, false]);
  });

  it('neither gains nor loses by a clock that goes back', () => {
    const takeAt = createTestBucket(2, 1);
    expect([10_000, 0, 0, 999, 1000].map(takeAt)).toEqual([true, true, false, false, true]);
  });
});
