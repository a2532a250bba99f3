import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/registry/auth/challenge.ts';
import { withThirdParty } from '../../support/third-party.ts';

interface Row {
  readonly header: readonly string[];
  readonly challenges: readonly unknown[] | null;
}

withThirdParty<readonly Row[]>(['registry-auth', 'www-authenticate.json'], (rows) => {
  describe('challenges as other clients read them', () => {
    it.each(rows.map(({ header, challenges }) => [header.join(' ⏎ '), header, challenges ?? []] as const))(
      '%s',
      (_name, header, challenges) => {
        expect(parseChallenges(header)).toEqual(challenges);
      },
    );
  });
});

describe('a WWW-Authenticate header', () => {
  it('that cannot be read has no challenges', () => {
    for (const header of ['', '=', '"', ',,,', 'realm="x"', ' \t', '\u0000'])
      expect(parseChallenges([header])).toEqual([]);
  });

  it('ends where it cannot be read, and keeps what came before', () => {
    expect(parseChallenges(['Bearer realm="https://a/t", service="open'])).toEqual([
      { scheme: 'bearer', params: { realm: 'https://a/t' } },
    ]);
  });

  it('may hold several challenges', () => {
    expect(
      parseChallenges(['Basic realm="a", Bearer realm="https://b/t",scope="repository:c:pull"']),
    ).toEqual([
      { scheme: 'basic', params: { realm: 'a' } },
      { scheme: 'bearer', params: { realm: 'https://b/t', scope: 'repository:c:pull' } },
    ]);
  });

  it('cannot reach the prototype of what it is read into', () => {
    const [challenge] = parseChallenges(['Bearer __proto__="x",constructor="y",realm="https://b/t"']);
    expect(Object.getPrototypeOf(challenge?.params)).toBe(Object.prototype);
    expect(challenge?.params['realm']).toBe('https://b/t');
  });

  it('of 16 KiB is read in no time', () => {
    const before = performance.now();
    parseChallenges(['Bearer realm="'.padEnd(16_384, '\\"'), 'a='.repeat(8192), `${' ,'.repeat(8192)}x`]);
    expect(performance.now() - before).toBeLessThan(200);
  });
});
