import { describe, expect, it } from 'vitest';
import { parseBase64 } from '../../../src/verification/encoding/base64.ts';

describe('base64 of signatures', () => {
  it.each([
    ['one = too many', 'YWJjZA==='],
    ['padding left out', 'YWJjZA'],
    ['the last character cut', 'YWJjZA='],
    ['the URL-safe alphabet', '-_-_'],
    ['an inner space', 'YWJj ZA=='],
    ['a tab', 'YWJj\tZA=='],
    ['a foreign character', 'YWJj!ZA=='],
    ['padding in the middle', 'YQ==YQ=='],
    ['padding alone', '===='],
  ])('refuses %s, which Node would forgive', (_, text) => {
    expect(parseBase64(text)).toBeUndefined();
  });

  it('reads standard, padded base64', () => {
    expect(parseBase64('YWJjZA==')?.toString()).toBe('abcd');
    expect(parseBase64('')?.length).toBe(0);
  });

  it('ignores CR and LF wherever they stand, as Go does', () => {
    expect(parseBase64('\r\nYWJj\r\nZA=\n=\n')?.toString()).toBe('abcd');
  });
});
