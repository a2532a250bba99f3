import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { issueAuthority, issueLeaf } from '../../src/certificates/issue.ts';
import { bundleOf, readIssuer, readState, writeState } from '../../src/certificates/state.ts';

const now = Date.now();
const HOUR = 3_600_000;
const [one, two, stranger] = [
  await issueAuthority(now, HOUR),
  await issueAuthority(now + 60_000, HOUR),
  await issueAuthority(now, HOUR),
];
const [leaf, foreign, forged] = [
  await issueLeaf(one, ['sailmark.svc', '192.0.2.7'], { now, until: now + HOUR }),
  await issueLeaf(stranger, ['sailmark.svc'], { now, until: now + HOUR }),
  await issueLeaf({ cert: one.cert, key: stranger.key }, ['sailmark.svc'], { now, until: now + HOUR }),
];
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});

const GOOD = {
  'tls.crt': leaf.cert,
  'tls.key': leaf.key,
  'ca.crt': one.cert + two.cert,
  'ca.key': one.key,
  'next-ca.crt': two.cert,
  'next-ca.key': two.key,
  'ca.issued-until': `${readIssuer(one).id} 2026-12-01T00:00:00.000Z\n`,
};
const summary = (data: Readonly<Record<string, string>>) => {
  const { issuer: issuing, next, leaf: found, trusted, issuedUntil } = readState(data);
  return {
    issuing: issuing?.id,
    next: next?.id,
    leaf: found?.issuer,
    trusted: trusted.map(({ id }) => id),
    issuedUntil: issuedUntil.size,
  };
};
const [ONE, TWO] = [readIssuer(one).id, readIssuer(two).id];
const ALL = { issuing: ONE, next: TWO, leaf: ONE, trusted: [ONE, TWO], issuedUntil: 1 };
const NONE = { issuing: undefined, next: undefined, leaf: undefined, trusted: [], issuedUntil: 0 };

describe('the state in a Secret', () => {
  it.each([
    { name: 'nothing, in an empty Secret', data: {}, expected: NONE },
    {
      name: 'nothing, in values that are no PEM',
      data: Object.fromEntries(
        Object.keys(GOOD).map((key) => [key, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----']),
      ),
      expected: NONE,
    },
    { name: 'everything, where it holds together', data: GOOD, expected: ALL },
    {
      name: 'no CA that issues, under the key of another',
      data: { ...GOOD, 'ca.key': stranger.key },
      expected: { ...ALL, issuing: undefined },
    },
    {
      name: 'no CA that issues, where its key is missing, or of a kind that we do not issue with',
      data: { ...GOOD, 'ca.key': rsa },
      expected: { ...ALL, issuing: undefined },
    },
    {
      name: 'no next CA, under another key; it stays trusted',
      data: { ...GOOD, 'next-ca.key': one.key },
      expected: { ...ALL, next: undefined },
    },
    {
      name: 'no next CA, where it is the one that issues already',
      data: { ...GOOD, 'next-ca.crt': one.cert, 'next-ca.key': one.key },
      expected: { ...ALL, next: undefined },
    },
    {
      name: 'a next CA that nobody put into the bundle, as trusted',
      data: { ...GOOD, 'ca.crt': one.cert },
      expected: ALL,
    },
    {
      name: 'no leaf, under another key',
      data: { ...GOOD, 'tls.key': foreign.key },
      expected: { ...ALL, leaf: undefined },
    },
    {
      name: 'no leaf, of a CA that is not in the bundle',
      data: { ...GOOD, 'tls.crt': foreign.cert, 'tls.key': foreign.key },
      expected: { ...ALL, leaf: undefined },
    },
    {
      name: 'no leaf that names a CA of the bundle and is signed by another',
      data: { ...GOOD, 'tls.crt': forged.cert, 'tls.key': forged.key },
      expected: { ...ALL, leaf: undefined },
    },
    {
      name: 'no leaf that is a CA itself',
      data: { ...GOOD, 'tls.crt': one.cert, 'tls.key': one.key },
      expected: { ...ALL, leaf: undefined },
    },
    {
      name: 'no CA that is none',
      data: { ...GOOD, 'ca.crt': leaf.cert + one.cert, 'next-ca.crt': leaf.cert, 'next-ca.key': leaf.key },
      expected: { ...ALL, next: undefined, trusted: [ONE] },
    },
    {
      name: 'each CA once, also between text and what is broken',
      data: {
        ...GOOD,
        'ca.crt': `# ours\n${two.cert}x${one.cert}-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n${two.cert}`,
      },
      expected: ALL,
    },
    {
      name: 'of what was issued, the lines that are well-formed',
      data: { ...GOOD, 'ca.issued-until': `x\n${ONE} never\n${TWO} 2026-12-01T00:00:00.000Z\n` },
      expected: ALL,
    },
  ])('is $name', ({ data, expected }) => {
    expect(summary(data)).toEqual(expected);
  });

  it('is read from any text at all, and everything in it is trusted', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom(...Object.values(GOOD), foreign.cert, rsa));
    const anyData = fc.record(Object.fromEntries(Object.keys(GOOD).map((key) => [key, piece])), {
      requiredKeys: [],
    });
    const isTrusted = (data: Readonly<Record<string, string>>): boolean => {
      const { issuing, next, leaf: found, trusted } = summary(data);
      return [issuing, next, found].every((id) => id === undefined || trusted.includes(id));
    };
    expect(() =>
      fc.assert(fc.property(anyData, (data) => isTrusted(data as Record<string, string>))),
    ).not.toThrow();
  });

  it('is written as it was read, with what else somebody keeps there', () => {
    expect(writeState(readState(GOOD), { ...GOOD, mine: 'too' })).toEqual({ ...GOOD, mine: 'too' });
    expect(writeState(readState({}), {})).toEqual({
      'tls.crt': '',
      'tls.key': '',
      'ca.crt': '',
      'ca.issued-until': '',
    });
  });

  it('is a bundle of the same text, whichever CA issues', () => {
    const before = readState(GOOD);
    const after = readState({ ...GOOD, 'ca.crt': two.cert + one.cert, 'ca.key': two.key, 'next-ca.crt': '' });
    expect(after.issuer?.id).toBe(TWO);
    expect(bundleOf(after)).toBe(bundleOf(before));
  });
});
