import { describe, expect, it } from 'vitest';
import { listMemberOf, memberOf } from '../../src/base/index.ts';

describe('a member of a JSON object', () => {
  it.each([
    ['is inherited', JSON.parse('{"__proto__":{"a":1}}'), 'a'],
    ['belongs to every object', {}, 'constructor'],
    ['is null, as Go writes what is empty', { a: null }, 'a'],
    ['is absent', { b: 1 }, 'a'],
    ['is asked of a list', ['x'], '0'],
    ['is asked of null', null, 'a'],
    ['is asked of a text', 'x', 'length'],
  ])('is undefined where it %s', (_, value, name) => {
    expect(memberOf(value, name)).toBe(undefined);
  });

  it.each(['0', 'false', '""', '[]', '{}', '[null]'])('is %s where that is its value', (text) => {
    expect(memberOf(JSON.parse(`{"a":${text}}`), 'a')).toEqual(JSON.parse(text));
  });
});

describe('a list in a JSON object', () => {
  it.each(['{}', '"text"', '1', 'true'])('is none where %s stands in its place', (text) => {
    expect(listMemberOf(JSON.parse(`{"a":${text}}`), 'a')).toBe(undefined);
  });

  it.each(['{"a":null}', '{}', '[]', 'null'])('is empty in %s', (text) => {
    expect(listMemberOf(JSON.parse(text), 'a')).toEqual([]);
  });

  it('keeps its elements, null among them', () => {
    expect(listMemberOf({ a: [null, {}] }, 'a')).toEqual([null, {}]);
  });
});
