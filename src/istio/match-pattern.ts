import { ambiguousNames, distinctiveNames } from './components.ts';
import { digestPattern } from './exact-patterns.ts';
import { builtInHubNames } from './hubs.ts';
import type { Places } from './image-class.ts';
import { DOCKER_HUB, namePattern, quoteMeta } from './pattern-syntax.ts';

/*
 * The first pattern of the match condition, which is cheap. The API server does not call the webhook for an image that it
 * does not match, so it must match every text that the classifier could classify as Istio's, valid reference or not. Where
 * it matches too much, the patterns of `exact-patterns.ts` decide. It is searched for anywhere in a text, ignoring case.
 */

/** The word in the names of all built-in hubs, and of all look-alikes except the names that are listed below. */
const ISTIO = 'istio';

/** Does not match `copilot`. The end is open for suffixes: `pilot_debug`. */
const wordPattern = (name: string): string => String.raw`(?:\b|_)${namePattern(name)}`;

/** Images of Docker Hub may be written without its host, and an invalid reference may have blanks around it. */
const placePattern = (place: string): string => {
  const lower = place.toLowerCase();
  return lower.startsWith(DOCKER_HUB)
    ? String.raw`(?:^\W*|docker\.io/)${quoteMeta(lower.slice(DOCKER_HUB.length))}/`
    : `${quoteMeta(lower)}/`;
};

const namesIstio = (name: string): boolean => name.toLowerCase().includes(ISTIO);
const others = (names: Iterable<string>): readonly string[] => [...names].filter((name) => !namesIstio(name));

/** Matches Istio's own names, independent of the configuration: hubs and look-alikes. */
export const basePattern: string = [
  ISTIO,
  ...others(distinctiveNames).map(namePattern),
  ...others(ambiguousNames).map(wordPattern),
  ...others(builtInHubNames).map(placePattern),
].join('|');

/** The base pattern as an expression: true if a name is Istio's, or contains one of its words. */
const base = new RegExp(basePattern, 'i');

/** True if an image's text contains a word of Istio's: far from proof, but proof beside a container's generic name. */
export const mentionsIstio = (text: string): boolean => base.test(text);

/**
 * The additions of a configuration, by pattern: each hub and mirror without `istio` in its name, each revoked digest.
 */
export const additionsOf = ({ hubs: listed, mirrors }: Places, revoked: readonly string[]) => {
  const places = others([...listed, ...mirrors.map(({ mirror }) => mirror)]);
  return new Map([
    ...places.map((place) => [placePattern(place), place] as const),
    ...revoked.map((digest) => [digestPattern(digest), digest] as const),
  ]);
};

/**
 * Returns the pattern of a configuration: `basePattern`, its hubs and mirrors in normal form, and its revoked digests,
 * which are refused in any image.
 */
export const matchPattern = (places: Places, revoked: readonly string[]): string =>
  [basePattern, ...additionsOf(places, revoked).keys()].join('|');
