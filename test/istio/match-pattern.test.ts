import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/image/index.ts';
import {
  basePattern,
  builtInHubs,
  createClassifier,
  findUnmatchable,
  matchPattern,
  type Places,
} from '../../src/istio/index.ts';
import type { Unmatchable } from '../../src/istio/unmatchable.ts';
import {
  acceptedLongReferences,
  acceptedReferences,
  refusedReferences,
} from '../support/distribution-references.ts';
import { imageTexts } from '../support/image-texts.ts';
import { matchPlaces } from '../support/match-condition-cases.ts';

const RUNS = Number(process.env['SAILMARK_RUNS'] ?? 2000);

const builtIn: Places = { hubs: builtInHubs, mirrors: [] };
const mirrored = (...mirrors: readonly string[]): Places => ({
  hubs: builtInHubs,
  mirrors: mirrors.map((mirror) => ({ mirror, of: 'docker.io/istio' })),
});
const search = (places: Places) => new RegExp(matchPattern(places, []), 'i');

/** Reports whether the classifier takes a text for an Istio image, or for text that may be meant as one. */
const couldBeIstioWith = (places: Places) => {
  const { classify, couldBeIstio } = createClassifier(places);
  return (text: string): boolean => {
    const parsed = parseImageReference(text);
    return parsed.ok ? classify(parsed.reference).kind !== 'other' : couldBeIstio(text);
  };
};

describe('a hub or mirror that the pattern cannot tell', () => {
  it('is that of Docker Hub’s official images, for they are written without it', () => {
    expect(findUnmatchable(mirrored('docker.io/library', 'docker.io/library/mesh'), [])).toEqual([
      {
        place: 'docker.io/library',
        why: 'must not be a registry path whose images can be written without its name, as "x"',
      },
    ]);
  });

  it('is one too many, for the API server’s budget', () => {
    const many = Array.from({ length: 50 }, (_, index) => `registry.corp.example/team-${100 + index}/mesh`);
    const [{ place, why }, ...others] = findUnmatchable(mirrored(...many), []) as readonly [
      Unmatchable,
      ...Unmatchable[],
    ];
    expect([place, others]).toEqual(['registry.corp.example/team-135/mesh', []]);
    expect(why).toMatch(/^makes the match condition cost more than the API server allows for a large pod: /);
    const fewer = mirrored(...many.slice(0, many.indexOf(place)));
    expect(findUnmatchable(fewer, [])).toEqual([]);
  });

  it('may be a revoked digest, of which there can be too many as well', () => {
    const different = Array.from(
      { length: 100 },
      (_, index) => `sha256:${String(100 + index).padEnd(64, '0')}`,
    );
    expect(findUnmatchable(builtIn, different).map(({ place }) => place)).toEqual([different[70]]);
  });

  it('is none of the built-in ones, nor one of a usual name', () => {
    expect([
      ...findUnmatchable(builtIn, []),
      ...findUnmatchable(matchPlaces, []),
      ...findUnmatchable(mirrored('localhost', '[::1]:5000', 'FOO/bar', 'registry.corp.example'), []),
    ]).toEqual([]);
  });
});

describe('the pattern', () => {
  it('of Istio’s own names is short, and is where every configuration’s begins', () => {
    expect(basePattern).toBe(String.raw`istio|proxyv2|install[._-]+cni|ztunnel|(?:\b|_)pilot`);
    expect(matchPattern(builtIn, [])).toBe(basePattern);
  });

  it('adds what a configuration names, each once, in its order', () => {
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
    const places = mirrored(
      'registry.corp.example:5000/m',
      'docker.io/a.b',
      'FOO/bar',
      'docker.io/a.b',
      'h.example/Istio',
    );
    expect(matchPattern(places, [digest, digest])).toBe(
      [
        basePattern,
        String.raw`registry\.corp\.example:5000/m/`,
        String.raw`(?:^\W*|docker\.io/)a\.b/`,
        'foo/bar/',
        'sha256:0123456789ab',
      ].join('|'),
    );
  });

  it('finds the references that distribution accepts, and those that it refuses, where the classifier could take them for Istio’s', () => {
    const texts = [
      ...acceptedReferences.map(([text]) => text),
      ...acceptedLongReferences,
      ...refusedReferences,
    ].filter(couldBeIstioWith(builtIn));
    expect(texts.length).toBeGreaterThan(60);
    expect(texts.filter((text) => !search(builtIn).test(text))).toEqual([]);
  });

  it.each([
    ['the built-in hubs', builtIn, []],
    [
      'a configuration of its own',
      matchPlaces,
      ['registry.corp.example/mesh', 'registry.corp.example:5000/upstream', 'corp', 'corp/m.e'],
    ],
    [
      'mirrors of odd names',
      mirrored('localhost', '[::1]:5000', 'FOO/bar', 'docker.io/library/x'),
      ['localhost', '[::1]:5000', 'FOO/bar', 'library/x', 'x'],
    ],
  ] as const)('finds every text that the classifier could take for Istio’s, with %s', (_, places, names) => {
    const [isFound, isOfInterest] = [search(places), couldBeIstioWith(places)];
    let interesting = 0;
    fc.assert(
      fc.property(imageTexts(names), (text) => {
        if (!isOfInterest(text)) return;
        interesting += 1;
        expect({ text, isFound: isFound.test(text) }).toEqual({ text, isFound: true });
      }),
      { numRuns: RUNS },
    );
    expect(interesting).toBeGreaterThan(RUNS / 10);
  });
});
