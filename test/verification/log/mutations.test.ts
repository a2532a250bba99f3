import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoggedSignature } from '../../../src/verification/log/log-proof.ts';
import { createProveLogged } from '../../../src/verification/log/prove-logged.ts';
import { annotatedVector, bundledVector, vectorLogs } from './vectors.ts';

/*
 * No byte of a proof that a log has an entry can be changed. The exceptions that the specification leaves open are
 * listed below, and nothing else is accepted.
 */

const prove = createProveLogged(vectorLogs);
const isProven = (logged: LoggedSignature) => 'proof' in prove(logged);

/** Replacement characters, from the alphabets in which entries are written. */
const CHARACTERS = Array.from('0123456789abcdefABCDEF+/=-_. \n"\\{}Zz\u2014');
const anotherAt = (text: string, index: number, character: string) =>
  text.slice(0, index) + character + text.slice(index + 1);
const neighbours = (text: string, index: number): string[] => {
  const code = text.charCodeAt(index);
  return [code ^ 1, code ^ 2, code ^ 32, 65]
    .filter((other) => other !== code)
    .map((c) => String.fromCharCode(c));
};

/** The paths of all strings in an entry. */
const pathsOf = (value: unknown, path: readonly string[] = []): (readonly string[])[] => {
  if (typeof value === 'string') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => pathsOf(member, [...path, name]));
};

const textAt = (value: unknown, [name, ...rest]: readonly string[]): string =>
  name === undefined ? (value as string) : textAt((value as Record<string, unknown>)[name], rest);

const withText = (value: unknown, [name, ...rest]: readonly string[], text: string): unknown => {
  if (name === undefined) return text;
  if (Array.isArray(value))
    return value.map((one, at) => (String(at) === name ? withText(one, rest, text) : one));
  const object = value as Record<string, unknown>;
  return { ...object, [name]: withText(object[name], rest, text) };
};

describe('a .sig annotation', () => {
  const logged = annotatedVector('referrers/s02-legacy-tlog');
  const annotation = logged.annotation ?? '';

  it('is proven as it is', () => {
    expect(isProven(logged)).toBe(true);
  });

  it('is not proven with any byte changed to a near one', () => {
    const proven = Array.from(annotation).flatMap((_, index) =>
      neighbours(annotation, index)
        .map((character) => anotherAt(annotation, index, character))
        .filter((changed) => isProven({ ...logged, annotation: changed })),
    );
    expect(proven).toEqual([]);
  });

  it('is not proven cut short', () => {
    const proven = Array.from(annotation).filter((_, index) =>
      isProven({ ...logged, annotation: annotation.slice(0, index) }),
    );
    expect(proven).toEqual([]);
  });
});

describe.each([
  ['s07-bundle-tlog', []],
  // Rekor v2 signs no index but the one in the proof.
  ['r01-rekor2-good', ['logIndex']],
] as const)('an entry of %s', (vector, open) => {
  const logged = bundledVector(`referrers/${vector}`);
  const [entry] = logged.entries;
  const proveEntry = (changed: unknown) => isProven({ ...logged, entries: [changed] });
  const paths = pathsOf(entry).filter((path) => !open.some((name) => name === path.join('.')));

  it('is proven as it is', () => {
    expect(proveEntry(entry)).toBe(true);
  });

  it('is not proven with any byte of its fields changed to a near one', () => {
    const proven = paths.flatMap((path) => {
      const text = textAt(entry, path);
      return Array.from(text).flatMap((_, index) =>
        neighbours(text, index)
          .filter((character) => proveEntry(withText(entry, path, anotherAt(text, index, character))))
          .map((character) => `${path.join('.')}[${index}] = ${character}`),
      );
    });
    expect(proven).toEqual([]);
  });

  it('is not proven with any character of its fields changed to any of those entries are written in', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.nat(),
        fc.constantFrom(...CHARACTERS),
        (path, at, character) => {
          const text = textAt(entry, path);
          const changed = anotherAt(text, at % text.length, character);
          expect(proveEntry(withText(entry, path, changed))).toBe(changed === text);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('entries of unknown making', () => {
  const logged = bundledVector('referrers/s07-bundle-tlog');
  const [entry] = logged.entries;

  it('are answered and never thrown at', () => {
    fc.assert(
      fc.property(fc.array(fc.anything({ withNullPrototype: true }), { maxLength: 5 }), (entries) => {
        expect(prove({ ...logged, entries })).toHaveProperty('problem');
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (annotation) => {
        const { key, signature, payload } = logged;
        expect(
          prove({ format: 'simple-signing', key, signature, signedBytes: payload, payload, annotation }),
        ).toHaveProperty('problem');
      }),
    );
  });

  it('are told of in one line, whatever stands where', () => {
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(entry)), fc.anything(), (path, value) => {
        const result = prove({ ...logged, entries: [withText(entry, path, value as string)] });
        expect('problem' in result ? result.problem : '').toMatch(/^[^\n]{0,300}$/);
      }),
      { numRuns: 500 },
    );
  });
});
