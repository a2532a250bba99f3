import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodyLimits, scanBody } from '../../src/server/scan-body.ts';

const ALL: BodyLimits = { valuesPerReview: 1e9, imageUsesPerReview: 1e9 };
const scan = (text: string, limits = ALL) => scanBody(Buffer.from(text), limits);

/** Counts objects, lists, members and elements of parsed JSON, a duplicate member once. */
const valuesOf = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  return 1 + members.length + members.reduce<number>((sum, member) => sum + valuesOf(member), 0);
};

describe('a scan of a body counts', () => {
  it('never less than a parser makes of it, whatever the text', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(scan(text).values).toBeGreaterThanOrEqual(valuesOf(JSON.parse(text)) / 2);
      }),
    );
  });

  it('nothing inside texts, however they are escaped', () => {
    for (const inner of [
      '{{{{',
      ',,,,',
      '\\"{,{,',
      '\\\\',
      '"image":',
      'x'.repeat(100),
      `${'x'.repeat(100)}"{`,
      `${'\\'.repeat(99)}"`,
    ])
      expect(scan(JSON.stringify([inner]))).toEqual({ values: 1, imageUses: 0, objectAt: undefined });
  });

  it('image uses by name, escaped or not, and no other members', () => {
    const container = '{"image":"a","imageID":"b","x":"image"}';
    expect(scan(`[${container},{"reference" : "c"},{"\\u0069mage":1}]`).imageUses).toBe(0);
    expect(scan(`[[${container},{"reference" : "c"},{"\\u0069mage":1}]]`).imageUses).toBe(3);
  });

  it('no further than a limit', () => {
    expect(scan(`[${'{},'.repeat(1000)}{}]`, { ...ALL, valuesPerReview: 10 }).values).toBe(11);
  });
});

describe('a scan of a body finds where the first object of the request begins', () => {
  it.each([
    ['{"request":{"uid":"x","object":{"a":1}}}', '{"request":{"uid":"x","object":'],
    ['{"request":{"oldObject":[],"object":{}}}', '{"request":{"oldObject":'],
    ['{"object":{},"request":{"object":{"object":{}}}}', '{"object":{},"request":{"object":'],
    ['{"request":{"object":null}}', undefined],
    ['{"other":{"object":{}}}', undefined],
    ['[[{"object":{}}]]', undefined],
  ])('in %s', (text, before) => {
    const { objectAt } = scan(text);
    expect(objectAt === undefined ? undefined : text.slice(0, objectAt)).toBe(before);
  });
});
