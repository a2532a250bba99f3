import { assert, constantFrom, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatQuantity, parseDuration, parseQuantity } from '../../src/config/quantity.ts';

describe('a duration', () => {
  it('is not what Go would not read, nor a number without a unit', () => {
    for (const value of [
      '',
      '10',
      10,
      ' 10s',
      '10 s',
      '1s1m',
      '1d',
      '1.5s',
      '-1s',
      '1e3s',
      's',
      null,
      true,
      '99999999999999999h',
    ])
      expect(parseDuration(value)).toBeUndefined();
  });

  it('is read in milliseconds', () => {
    expect(['0', 0, '0s', '500ms', '10s', '1m30s', '24h', '1h1m1s1ms'].map(parseDuration)).toEqual([
      0, 0, 0, 500, 10_000, 90_000, 86_400_000, 3_661_001,
    ]);
  });

  it('reads back as it is written', () => {
    assert(
      property(nat(10_000_000_000), (value) => {
        expect(parseDuration(formatDuration(value))).toBe(value);
      }),
    );
  });
});

describe('a size and a count', () => {
  it('are not fractions, negative, or in units of a thousand', () => {
    for (const value of ['1MB', '1.5MiB', 1.5, -1, '64', 'MiB', Number.POSITIVE_INFINITY, '1 MiB'])
      expect(parseQuantity(value, 'bytes')).toBeUndefined();
    for (const value of ['5', 1.5, -1, '5s']) expect(parseQuantity(value, 'count')).toBeUndefined();
  });

  it('are read as bytes and as a number', () => {
    expect(['64KiB', '24MiB', '24Mi', 1000].map((value) => parseQuantity(value, 'bytes'))).toEqual([
      65_536, 25_165_824, 25_165_824, 1000,
    ]);
    expect(parseQuantity(5, 'count')).toBe(5);
  });

  it('read back as they are written', () => {
    assert(
      property(nat(), constantFrom(1, 1024, 1024 ** 2), (amount, size) => {
        const bytes = amount * size;
        expect(parseQuantity(formatQuantity(bytes, 'bytes'), 'bytes')).toBe(bytes);
      }),
    );
  });
});
