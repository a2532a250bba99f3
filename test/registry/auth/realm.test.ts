import { describe, expect, it } from 'vitest';
import { endpointOf, realmClaimOf } from '../../../src/registry/auth/realm.ts';

const claim = (realm: string, registry: string, ...realms: readonly string[]): string | undefined =>
  realmClaimOf(new URL(realm), registry, realms);

describe('a token realm', () => {
  it.each([
    ['https://evil.example/token', 'registry.corp.example'],
    ['https://corp.example.evil.net/token', 'registry.corp.example'],
    ['https://notcorp.example/token', 'registry.corp.example'],
    ['https://auth.docker.io/token', 'quay.io'],
    ['https://auth.docker.io.evil.net/token', 'docker.io'],
    ['https://another.github.io/token', 'some.github.io'],
    ['https://b.co.uk/token', 'a.co.uk'],
    ['https://127.0.0.2/token', '127.0.0.1:5000'],
    ['https://[::2]/token', '[::1]:5000'],
    ['https://example/token', 'other'],
  ])('%s is no business of %s', (realm, registry) => {
    expect(claim(realm, registry)).toBeUndefined();
  });

  it.each([
    ['https://registry.corp.example/token', 'registry.corp.example'],
    ['https://sso.corp.example/token', 'registry.corp.example:8443'],
    ['https://gitlab.com/jwt/auth', 'registry.gitlab.com'],
    ['https://127.0.0.1:5001/auth', '127.0.0.1:5000'],
    ['https://[::1]/auth', '[::1]:5000'],
    ['https://localhost/auth', 'localhost:5000'],
    ['https://quay.io/v2/auth', 'quay.io'],
  ])('%s is of %s itself', (realm, registry) => {
    expect(claim(realm, registry)).toBe('own');
  });

  it('of Docker Hub is its built-in pair', () => {
    expect(endpointOf('docker.io')).toBe('registry-1.docker.io');
    expect(endpointOf('quay.io')).toBe('quay.io');
    expect(claim('https://auth.docker.io/token', 'docker.io')).toBe('named');
  });

  it('may be named in the configuration, with its port or without', () => {
    expect(claim('https://sso.other.net:8443/t', 'r.example', 'sso.other.net:8443')).toBe('named');
    expect(claim('https://sso.other.net:8443/t', 'r.example', 'sso.other.net')).toBe('named');
    expect(claim('https://sso.other.net/t', 'r.example', 'sso.other.net:8443')).toBeUndefined();
    expect(claim('https://x.sso.other.net/t', 'r.example', 'sso.other.net')).toBeUndefined();
  });
});
