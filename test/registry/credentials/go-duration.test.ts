import { describe, expect, it } from 'vitest';
import { parseGoDuration } from '../../../src/registry/index.ts';

describe('a duration as Go writes it', () => {
  it.each(['', '1', '1d', 's', '1 s', '1h 2m', '1s1', '.s', '--1s', '1e3s', 'Infinitys'])(
    'is not %j',
    (text) => {
      expect(parseGoDuration(text)).toBeUndefined();
    },
  );

  // With work that grows with the square of the length, a megabyte takes hours.
  it.each(['1', '.', '1.', '1m', 'm', '-'])(
    'is not a megabyte of %j, which costs no more to tell',
    (text) => {
      expect(parseGoDuration(`${text.repeat(1_000_000 / text.length)}x`)).toBeUndefined();
    },
  );

  it.each([
    ['0', 0],
    ['0s', 0],
    ['12h', 43_200_000],
    ['1h30m0.5s', 5_400_500],
    ['5m0s', 300_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['100ms', 100],
    ['2500us', 2.5],
    ['2500µs', 2.5],
    ['1000000ns', 1],
    ['-1m', -60_000],
    ['+1m', 60_000],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseGoDuration(text)).toBe(milliseconds);
  });
});
