import { describe, expect, it } from 'vitest';
import { digestOf, parseDigest } from '../../src/image/index.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('a digest', () => {
  it.each([
    ['capitals', EMPTY.toUpperCase()],
    ['a digit missing', EMPTY.slice(0, -1)],
    ['a digit more', `${EMPTY}0`],
    ['another algorithm', EMPTY.replace('sha256', 'sha512')],
    ['no algorithm', EMPTY.slice(7)],
    ['a line feed behind', `${EMPTY}\n`],
  ])('is refused with %s', (_, text) => {
    expect(parseDigest(text)).toBe(undefined);
  });

  it('is sha256: and 64 lower-case hexadecimal digits', () => {
    expect(parseDigest(EMPTY)).toBe(EMPTY);
  });

  it('is that of the bytes, given as bytes or as text', () => {
    expect([digestOf(''), digestOf(new Uint8Array())]).toEqual([EMPTY, EMPTY]);
  });
});
