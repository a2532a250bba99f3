import { describe, expect, it } from 'vitest';
import { findNextLink } from '../../../src/registry/referrers/parse-link.ts';

describe('the next link', () => {
  it.each([
    ['</a?last=1>; rel="next"', '/a?last=1'],
    ['</a>;rel=next', '/a'],
    ['</a> ; REL = "NEXT"', '/a'],
    ['<>; rel=next', ''],
    ['</a,b;c>; rel=next', '/a,b;c'],
    ['</a>; title="a, b; \\"<c>"; rel=next', '/a'],
    ['</a>; rel="prev next"', '/a'],
    ['</a>; rel=prev, </b>; rel=next, </c>; rel=next', '/b'],
    [', ,</a>;;rel=next', '/a'],
    ['</a>; rel="next', '/a'],
    ['</a>', '/a'],
    ['</a?last=1>; title="next page"', '/a?last=1'],
    ['</a>; title="; rel=next"', '/a'],
    ['</a>, </b>; rel=next', '/b'],
    ['</a>; rel=prev, </b>', '/b'],
  ])('of %s is %j', (header, target) => {
    expect(findNextLink([header])).toBe(target);
  });

  it.each([
    '',
    ',',
    '<>',
    '<></a>',
    '</a>; rel',
    '</a>; rel=""',
    '</a; rel=next',
    '/a; rel=next',
    'x</a>; rel=next',
    '</a>x; rel=next',
    '</a>; rel=nextpage',
    '</a>; rel=prev; rel=next',
    '</a>; rel=prev, rel=next',
  ])('is none in %j', (header) => {
    expect(findNextLink([header])).toBeUndefined();
  });

  it('is found in whichever header holds it, and an unclosed one does not hide it', () => {
    expect(findNextLink(['</a>; rel="prev', '</b', '</c>; rel=next'])).toBe('/c');
  });

  // With work that grows with the square of the length, a megabyte takes hours.
  it.each(['<', '<>', '<>;', '<>; rel="', '<>;rel=prev ', '"', '\\"', ';', ',', ' ', ' =', '<>;rel=nextx '])(
    'is looked for in a megabyte of %j in time that grows with the length',
    (text) => {
      const headers = [text.repeat(1_000_000 / text.length), `<${text.repeat(1_000_000 / text.length)}`];
      expect(findNextLink(headers)).toBeUndefined();
    },
  );
});
