import { describe, expect, it } from 'vitest';
import { issueAuthority, issueLeaf } from '../../src/certificates/issue.ts';
import { perform } from '../../src/certificates/perform.ts';
import { readIssuer, readLeaf, type State } from '../../src/certificates/state.ts';
import { SETTINGS } from './replicas.ts';

const HOUR = 3_600_000;
const now = Date.now();
const issuing = readIssuer(await issueAuthority(now, 1000 * HOUR));
const leaf = readLeaf(await issueLeaf(issuing, ['a.svc'], { now, until: now + 500 * HOUR }), issuing);
const state: State = { issuer: issuing, leaf, trusted: [issuing], issuedUntil: new Map() };
const context = { now, settings: { ...SETTINGS, lifetime: 24 * HOUR }, lastTrusted: [] };

describe('what is written of the last leaf of a CA', () => {
  it('is the end of the one before, where that ends later: `lifetime` was made shorter', async () => {
    const once = await perform({ do: 'renew', names: ['a.svc'] }, state, context);
    expect(once.leaf?.until).toBeLessThan(leaf.until);
    expect(once.issuedUntil).toEqual(new Map([[issuing.id, leaf.until]]));
    const twice = await perform({ do: 'renew', names: ['a.svc'] }, once, context);
    expect(twice.issuedUntil).toEqual(new Map([[issuing.id, leaf.until]]));
  });

  it('is kept when another CA issues', async () => {
    const next = readIssuer(await issueAuthority(now, 1000 * HOUR));
    const before = {
      ...state,
      next,
      trusted: [issuing, next],
      issuedUntil: new Map([[issuing.id, leaf.until]]),
    };
    const after = await perform({ do: 'promote' }, before, context);
    expect(after).toEqual({
      ...before,
      issuer: next,
      next: undefined,
      leaf: expect.objectContaining({ issuer: next.id }),
      issuedUntil: new Map([
        [issuing.id, leaf.until],
        [next.id, after.leaf?.until],
      ]),
    });
  });
});

describe('beginning anew', () => {
  it('keeps the CAs that were known, for a while, but those that have ended', async () => {
    const ended = { ...readIssuer(await issueAuthority(now, HOUR)), until: now };
    const empty: State = { trusted: [], issuedUntil: new Map() };
    const after = await perform({ do: 'begin' }, empty, { ...context, lastTrusted: [issuing, ended] });
    expect(new Set(after.trusted.map(({ id }) => id))).toEqual(new Set([issuing.id, after.issuer?.id]));
    expect(after.issuedUntil.get(issuing.id)).toBe(now + 3 * SETTINGS.overlap);
  });
});
