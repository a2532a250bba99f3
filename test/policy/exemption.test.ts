import { describe, expect, it } from 'vitest';
import { type ImageReference, parseImageReference } from '../../src/image/index.ts';
import { findExemption, matchesImage, needsTagDigest, patternProblem } from '../../src/policy/exemption.ts';
import type { Exemption } from '../../src/policy/index.ts';
import { digestFor } from '../support/verdicts.ts';

const reference = (text: string): ImageReference => {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.reference;
};

const exemption = (overrides: Partial<Exemption> = {}): Exemption => ({
  images: ['registry.corp.example/istio/proxyv2:1.11.*'],
  namespaces: ['legacy'],
  reason: 'moves in March',
  owner: 'team-mesh',
  expires: '2027-03-01',
  ...overrides,
});

const OLD = reference('registry.corp.example/istio/proxyv2:1.11.4');
const BEFORE = Date.parse('2027-03-01T23:59:59.999Z');
const AFTER = Date.parse('2027-03-02T00:00:00.000Z');

describe('an exemption does not lift', () => {
  it.each(['image-revoked', 'image-reference-invalid', 'too-many-images'] as const)('%s', (code) => {
    expect(findExemption([exemption()], code, OLD, 'legacy', BEFORE)).toBeUndefined();
  });

  it('anything from 00:00 UTC after its date', () => {
    const find = (now: number) => findExemption([exemption()], 'signature-missing', OLD, 'legacy', now);
    expect([find(BEFORE), find(AFTER)]).toEqual([exemption(), undefined]);
  });

  it('anything where its date is none', () => {
    const undated = exemption({ expires: 'never' });
    expect(findExemption([undated], 'signature-missing', OLD, 'legacy', BEFORE)).toBeUndefined();
  });

  it('anything in another namespace', () => {
    expect(findExemption([exemption()], 'signature-missing', OLD, 'shop', BEFORE)).toBeUndefined();
  });
});

describe('an exemption for a tag, of an image that has a digest too,', () => {
  const [digest, other] = [digestFor('pinned'), digestFor('other')];
  const pinned = reference(`registry.corp.example/istio/proxyv2:1.11.4@${digest}`);
  const find = (tagDigest?: typeof digest) =>
    findExemption([exemption()], 'signature-missing', pinned, 'legacy', BEFORE, tagDigest);

  it('lifts nothing unless the tag resolves to that digest', () => {
    expect([find(), find(other), find(digest)]).toEqual([undefined, undefined, exemption()]);
  });

  it('is the one kind that the digest of the tag is needed for', () => {
    const needs = (pattern: string, image = pinned.text): boolean =>
      needsTagDigest([exemption({ images: [pattern] })], reference(image));
    const name = 'registry.corp.example/istio/proxyv2';
    expect([needs(`${name}:1.11.*`), needs(`${name}:latest`, `${name}@${digest}`)]).toEqual([true, true]);
    expect([needs(`${name}:1.12.*`), needs(name), needs(`${name}@${digest}`)]).toEqual([false, false, false]);
    expect(needs(`${name}:1.11.*`, OLD.text)).toBe(false);
  });
});

describe('an exemption lifts', () => {
  it.each([
    'signature-missing',
    'signer-untrusted',
    'image-look-alike',
    'image-never-signed',
    'image-not-pinned',
    'registry-unavailable',
  ] as const)('%s', (code) => {
    expect(findExemption([exemption()], code, OLD, 'legacy', BEFORE)).toEqual(exemption());
  });

  it('in all namespaces where it says so', () => {
    const everywhere = exemption({ namespaces: ['*'] });
    expect(findExemption([everywhere], 'signature-missing', OLD, 'shop', BEFORE)).toEqual(everywhere);
  });
});

describe('a pattern', () => {
  const digest = digestFor('any');
  it.each([
    ['docker.io/istio/proxyv2:1.11.*', 'istio/proxyv2:1.11.4', true],
    ['docker.io/istio/proxyv2:1.11.*', 'index.docker.io/istio/proxyv2:1.11.4', true],
    ['docker.io/istio/proxyv2:1.11.*', 'istio/proxyv2:1.12.0', false],
    ['docker.io/istio/proxyv2:1.11.*', `istio/proxyv2:1.11.4@${digest}`, false],
    ['docker.io/istio/proxyv2:*', `istio/proxyv2@${digest}`, false],
    ['docker.io/istio/*:1*', `istio/proxyv2@sha256:1${'0'.repeat(63)}`, false],
    [`docker.io/istio/proxyv2@${digest}`, `istio/proxyv2:1.11.4@${digest}`, true],
    ['docker.io/istio/proxyv2', `istio/proxyv2:1.11.4@${digest}`, true],
    ['docker.io/istio/*', 'istio/pilot', true],
    ['docker.io/istio/*', 'istio/deeper/pilot', false],
    ['docker.io/*/pilot:1.*', 'istio/pilot:1.28.0', true],
    ['docker.io/ist*o/p*t:1.*.0', 'istio/pilot:1.28.0', true],
    ['docker.io/istio/pil*lot', 'istio/pilot', false],
    ['docker.io/istio/*il*il*', 'istio/pilot', false],
    ['*/istio/pilot:1.28.0', 'istio/pilot:1.28.0', false],
    ['docker.io/istio/pilot:1.28.0', 'ghcr.io/istio/pilot:1.28.0', false],
    ['registry.example:5000/istio/pilot:1.*', 'registry.example:5000/istio/pilot:1.28.0', true],
    ['docker.io/istio/pilot:latest', 'istio/pilot', true],
    ['docker.io/istio/p.lot', 'istio/pilot', false],
  ])('%s covers %s: %s', (pattern, image, covered) => {
    expect(matchesImage(pattern, reference(image))).toBe(covered);
  });

  it.each([
    ['istio/proxyv2:1.11.*', 'must be in normal form, with its registry: docker.io/istio/proxyv2:1.11.*'],
    ['proxyv2', 'must be in normal form, with its registry: docker.io/istio/proxyv2:1.11.*'],
    ['*.corp.example/istio/proxyv2', 'must have a literal host: * matches within one path segment'],
    ['index.docker.io/istio/proxyv2', 'must name Docker Hub as docker.io'],
    ['Docker.io/istio/proxyv2', 'must have its host in lower case'],
    ['docker.io//proxyv2', 'has an empty path segment'],
    ['docker.io/istio/proxyv2:', 'has an empty tag or digest'],
    [
      'docker.io/istio/proxyv2:1@sha256:*',
      'must have a tag or a digest, not both: the tag is ignored beside a digest',
    ],
    ['docker.io/istio/proxy v2', 'must not contain spaces or control characters'],
    ['registry.corp.example:5000/istio/*:1.11.*', undefined],
    ['localhost/istio/proxyv2', undefined],
  ])('%s: %s', (pattern, problem) => {
    expect(patternProblem(pattern)).toBe(problem);
  });

  it('of many stars costs no more than its length', () => {
    const pattern = `docker.io/istio/${'*a'.repeat(100)}b`;
    const started = performance.now();
    expect(matchesImage(pattern, reference(`istio/${'a'.repeat(200)}`))).toBe(false);
    expect(performance.now() - started).toBeLessThan(100);
  });
});
