import { describe, expect, it } from 'vitest';
import { credentialsMatch, parseDockerConfig } from '../../../src/registry/credentials/docker-config.ts';

/*
 * A pull secret, and the output of a credential provider, are written by others. With work that grows with the square of
 * a text's length, each of these takes minutes.
 */
const LENGTH = 500_000;

describe('a key of credentials', () => {
  it('with many wildcards is matched in steps that grow with both lengths', () => {
    const label = 'a'.repeat(63);
    expect(credentialsMatch(`${'*a'.repeat(40)}*b.example`, `${label}.example/istio`)).toBe(false);
    expect(credentialsMatch(`${'*a'.repeat(40)}*.example`, `${label}.example/istio`)).toBe(true);
  });

  it.each([
    ['*.example', 'a.example', true],
    ['*.example', 'a.b.example', false],
    ['a*c.example', 'abbc.example', true],
    ['a*c.example', 'ac.example', true],
    ['a*c.example', 'acb.example', false],
    ['a*bc*.example', 'abbcd.example', true],
    ['?.example', 'a.example', true],
    ['?.example', 'ab.example', false],
    ['a?.example', 'a.example', false],
    ['*?.example', 'ab.example', true],
    ['a+.example', 'aa.example', false],
    ['*', '', true],
    ['r[0-9].example', 'r1.example', true],
    ['r[0-9].example', 'ra.example', false],
    ['r[^0-9].example', 'ra.example', true],
    ['r[^0-9].example', 'r1.example', false],
    ['[a-ce].example', 'e.example', true],
    ['[A-C].example', 'b.example', true],
    ['r[0-9]*x.example', 'r12x.example', true],
    ['r[0-9].example', 'r.example', false],
    ['r[0-9].example', 'r12.example', false],
    ['r[\\]x].example', 'r].example', true],
    ['r[\\]-].example', 'r].example', false],
    ['r[a.b].example', 'ra.example', false],
    ['r\\*.example', 'r*.example', true],
    ['r\\*.example', 'rx.example', false],
    ['\\r.example', 'r.example', true],
    // Malformed: Go's path.Match returns ErrBadPattern, and the kubelet passes the key over.
    ['r[.example', 'r[.example', false],
    ['r[].example', 'r].example', false],
    ['r[]a].example', 'ra.example', false],
    ['r[a-].example', 'r-.example', false],
    ['r[-a].example', 'r-.example', false],
    ['*[.example', 'r[.example', false],
    ['r\\', 'r\\', false],
  ])('%s for %s: %s', (key, host, isMatch) => {
    expect(credentialsMatch(key, `${host}/istio`)).toBe(isMatch);
  });

  it('with many classes is matched in steps that grow with both lengths', () => {
    const label = 'a'.repeat(63);
    expect(credentialsMatch(`${'*[a-b]'.repeat(40)}c.example`, `${label}.example/istio`)).toBe(false);
    expect(credentialsMatch(`[${'a-b'.repeat(LENGTH / 10)}].example`, 'b.example/istio')).toBe(true);
  });

  it('with many slashes is read in steps that grow with its length', () => {
    const slashes = '/'.repeat(LENGTH);
    expect(credentialsMatch(`a.example${slashes}x`, 'a.example/istio')).toBe(false);
    expect(credentialsMatch(`a.example/istio${slashes}`, 'a.example/istio')).toBe(true);
  });
});

describe('a docker config', () => {
  const withPassword = (password: string): string =>
    JSON.stringify({ auths: { 'a.example': { auth: Buffer.from(`me:${password}`).toString('base64') } } });

  it('with many NULs in a password is read in steps that grow with its length', () => {
    const nuls = '\0'.repeat(LENGTH);
    const passwords = [`x${nuls}y`, `x${nuls}`].map(
      (password) => parseDockerConfig(withPassword(password)).entries[0]?.credentials,
    );
    expect(passwords).toEqual([
      { kind: 'password', username: 'me', password: `x${nuls}y` },
      { kind: 'password', username: 'me', password: 'x' },
    ]);
  });

  it('nested 100,000 levels deep is read, and what is nested is none', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(parseDockerConfig(`{"auths":{"a.example":${deep}}}`).entries).toEqual([]);
    expect(() => parseDockerConfig(deep)).toThrow('it is not a JSON object');
  });
});
