import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePlace } from '../../src/istio/index.ts';

const TAG = 'it has a tag; name the path that holds the images, not an image';
const OTHER = 'it is not a registry host and a lower-case path';
const WHOLE = 'it is all of Docker Hub, or its official images; write a path, as in docker.io/istio';

describe('the name of a hub or mirror', () => {
  it.each([
    ['', 'it is empty'],
    ['https://registry.corp.example/istio', 'it is a URL; write it without the scheme'],
    ['registry.corp.example/istio/', 'it ends with "/"'],
    ['/', 'it ends with "/"'],
    [`istio@sha256:${'0'.repeat(64)}`, 'it has a digest; name the path that holds the images, not an image'],
    ['istio:latest', TAG],
    ['istio:1.28.0', TAG],
    ['docker.io/istio:5000', TAG],
    ['docker.io', WHOLE],
    ['index.docker.io', WHOLE],
    ['docker.io/library', WHOLE],
    ['library', WHOLE],
    ['docker.io/Istio', OTHER],
    ['docker.io//istio', OTHER],
    ['/istio', OTHER],
    [' istio', OTHER],
    ['istio\n', OTHER],
    ['docker.io/istio/*', OTHER],
    ['fc00::1/istio', OTHER],
    ['[::1]x/istio', OTHER],
    [`docker.io/${'a'.repeat(300)}`, OTHER],
  ])('is refused: %j, for %s', (text, problem) => {
    expect(parsePlace(text)).toEqual({ ok: false, problem });
  });

  it.each([
    ['istio', 'docker.io/istio'],
    ['docker.io/istio', 'docker.io/istio'],
    ['index.docker.io/istio', 'docker.io/istio'],
    ['DOCKER.IO/istio', 'docker.io/istio'],
    ['registry:5000/x/istio', 'registry:5000/x/istio'],
    ['Registry.Corp.example/istio', 'registry.corp.example/istio'],
    ['corp/istio', 'docker.io/corp/istio'],
    ['registry.corp.example', 'registry.corp.example'],
    ['registry:5000', 'registry:5000'],
    ['my_registry.corp.example/istio', 'my_registry.corp.example/istio'],
    ['my_registry', 'docker.io/my_registry'],
    ['localhost', 'localhost'],
    ['[::1]:5000/istio', '[::1]:5000/istio'],
    ['[::1]/istio', '[::1]/istio'],
    ['[::1]', '[::1]'],
    ['ghcr.io/istio/prerelease-testing', 'ghcr.io/istio/prerelease-testing'],
  ])('%s is %s', (text, place) => {
    expect([parsePlace(text), parsePlace(place)]).toEqual([
      { ok: true, place },
      { ok: true, place },
    ]);
  });

  it('is parsed or refused in one printable line, and never throws', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('aA0.-_/:@[] \n'), 'docker.io') });
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (name) => {
        const parsed = parsePlace(name);
        expect(parsed.ok ? parsed.place : parsed.problem).toMatch(/^[\x20-\x7e]+$/);
        expect(parsed.ok && parsePlace(parsed.place)).toEqual(parsed.ok && parsed);
      }),
      { numRuns: 3000 },
    );
  });
});
