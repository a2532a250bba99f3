import { describe, expect, it } from 'vitest';
import { listWithin, oneLine } from '../../src/base/index.ts';

describe('one line', () => {
  it.each([
    ['a\nb\r\u0000\u001b', 10, 'a?b???'],
    ['\u202eabc\u2028', 10, '?abc?'],
    ['abcdefghij', 7, 'abcd…ij'],
    ['abcdefghij', 10, 'abcdefghij'],
    ['ab😀cdefghi', 5, 'ab?…i'],
  ])('%j within %i is %j', (text, limit, line) => {
    expect(oneLine(text, limit)).toBe(line);
  });
});

describe('a list within a limit', () => {
  it.each([
    [[], 10, ''],
    [['one'], 3, 'one'],
    [['one', 'two'], 8, 'one, two'],
    [['one', 'two', 'three'], 15, 'one, two, three'],
    [['one', 'two', 'three'], 14, 'one, +2 more'],
    [['a long one', 'two'], 9, '+2 more'],
  ])('%j within %i is %j', (items, limit, text) => {
    expect(listWithin(items, limit)).toBe(text);
    expect(text.length).toBeLessThanOrEqual(limit);
  });
});
