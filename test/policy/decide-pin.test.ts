import { describe, expect, it } from 'vitest';
import { decidePin, type Exemption, type Judgement, type Rules } from '../../src/policy/index.ts';
import { digestFor, judgement, rejected, rules, undetermined, verified } from '../support/verdicts.ts';

const PROXY = 'docker.io/istio/proxyv2:1.28.0';
const NOW = Date.parse('2026-11-24T12:00:00Z');
const DIGEST = digestFor('good');
const UNAVAILABLE = { code: 'registry-unavailable', detail: 'no answer' } as const;
const MISSING = { code: 'signature-missing' } as const;

const exemption = (images: string): Exemption => ({
  images: [images],
  namespaces: ['shop'],
  reason: '',
  owner: '',
  expires: '2027-01-01',
});
const pinOf = (
  one: Judgement,
  withRules: Partial<Rules> = {},
  context = { namespace: 'shop', critical: false },
) => decidePin(one, context, rules(withRules), NOW);

describe('an image is not pinned', () => {
  it('if it is rejected or undetermined, with that reason', () => {
    expect(pinOf(judgement(PROXY, rejected(MISSING, DIGEST)))).toEqual({
      digest: undefined,
      reason: MISSING,
    });
    expect(pinOf(judgement(PROXY, undetermined(UNAVAILABLE)))).toEqual({
      digest: undefined,
      reason: UNAVAILABLE,
    });
  });

  it('if it is refused whatever its signatures, though it is verified and exempt', () => {
    const refused = { code: 'image-revoked', digest: DIGEST, why: 'CVE-2026-1' } as const;
    const revoked = { ...judgement(PROXY, verified(DIGEST)), refused };
    expect(pinOf(revoked, { exemptions: [exemption('docker.io/istio/*')] })).toEqual({
      digest: undefined,
      reason: refused,
    });
  });

  it('if its tag was last resolved before the window, or in the future, or the choice is deny', () => {
    const known = (age: number) =>
      judgement(PROXY, undetermined(UNAVAILABLE, { resolvedAt: NOW - age, verified: verified(DIGEST) }));
    const window = { enforce: 'allow', critical: 'deny', tagOutageWindow: 1000 } as const;
    const unpinned = { digest: undefined, reason: UNAVAILABLE };
    expect(pinOf(known(1001), { undetermined: window })).toEqual(unpinned);
    expect(pinOf(known(-1), { undetermined: window })).toEqual(unpinned);
    const critical = { namespace: 'shop', critical: true };
    expect(pinOf(known(0), { undetermined: window }, critical)).toEqual(unpinned);
  });

  it('if it is exempt in another namespace, or its digest is not known', () => {
    const exemptions = [exemption('docker.io/istio/proxyv2:*')];
    const elsewhere = { namespace: 'other', critical: false };
    const unsigned = judgement(PROXY, rejected(MISSING, DIGEST));
    expect(pinOf(unsigned, { exemptions }, elsewhere).digest).toBeUndefined();
    const absent = judgement(PROXY, { ...rejected({ code: 'image-not-found' }), digest: undefined });
    expect(pinOf(absent, { exemptions }).digest).toBeUndefined();
  });

  it('if it was not judged: that is an error', () => {
    expect(() => pinOf(judgement(PROXY))).toThrow('no verification');
  });
});

describe('an image is pinned', () => {
  it('to the digest that is verified', () => {
    expect(pinOf(judgement(PROXY, verified(DIGEST)))).toEqual({
      digest: DIGEST,
      source: 'verified',
      reason: undefined,
    });
  });

  it('during an outage to the digest that its tag last resolved to', () => {
    const lastVerified = { resolvedAt: NOW - 120_000, verified: verified(DIGEST) };
    expect(pinOf(judgement(PROXY, undetermined(UNAVAILABLE, lastVerified)))).toEqual({
      digest: DIGEST,
      source: 'outage',
      allowedBecause: `pinned: 2 minutes ago the tag resolved to ${DIGEST}, which is verified`,
      reason: UNAVAILABLE,
    });
  });

  it('to the digest of its tag if it is exempt', () => {
    const exemptions = [exemption('docker.io/istio/proxyv2:1.28.*')];
    expect(pinOf(judgement(PROXY, rejected(MISSING, DIGEST)), { exemptions })).toEqual({
      digest: DIGEST,
      source: 'exemption',
      reason: MISSING,
    });
  });
});
