import {
  ambiguousNames,
  distinctiveNames,
  knownPrefixes,
  knownSuffixes,
  samplePrefixes,
  samples,
  vendorNames,
} from './components.ts';
import { builtInHubNames } from './hubs.ts';
import type { Places } from './image-class.ts';
import { DOCKER_HUB, namePattern, oneOf, quoteMeta } from './pattern-syntax.ts';
import { vendors } from './vendors.ts';

/*
 * For a text that `plainPattern` matches, the patterns below match what the classifier takes for Istio's, and nothing
 * else. They are searched for ignoring case, but for `(?-i:…)`. Each must match every text that the classifier takes: the
 * API server never calls the webhook for another.
 */

const namesOf = (names: Iterable<string>): string => oneOf([...names].map(namePattern));

/** Characters. A longer text may have a path that is too long for a reference. */
export const MAX_PLAIN_LENGTH = 255;

const SEGMENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';

/** Matches most references that are valid but for their digest, and nothing else. Case counts. */
export const plainPattern: string = [
  String.raw`^(?:(?:[a-zA-Z0-9]+(?:(?:\.|-+)[a-zA-Z0-9]+)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?`,
  `(?:${SEGMENT}/)*${SEGMENT}`,
  String.raw`(?::\w[\w.-]{0,127})?(?:@[^/]*)?$`,
].join('');

/** Behind the last segment of a path: a tag, a digest, or the end. */
const END = '(?:[:@][^/]*)?$';
const SEPARATOR = '[._-]+';
const PREFIXES = `(?:${namesOf(knownPrefixes)}${SEPARATOR})*`;
const SUFFIXES = `(?:${SEPARATOR}${namesOf(knownSuffixes)})*`;
const BESIDE_ISTIO = `istio${SEPARATOR}${PREFIXES}`;

/** A path up to its last segment, with `istio` in one of its segments. A host is none of them. */
const BELOW_ISTIO = '(?:(?-i:^[a-z0-9_-]*istio[a-z0-9_-]*)|/[^/]*istio[^/]*)/(?:.*/)?';

/** Look-alikes in any registry. */
export const lookAlikePattern: string = [
  `(?:(?:^|/)${PREFIXES}(?:${namesOf(distinctiveNames)}|${BESIDE_ISTIO}${namesOf(ambiguousNames)})`,
  `|${BELOW_ISTIO}${PREFIXES}${namesOf(ambiguousNames)})${SUFFIXES}${END}`,
].join('');

/** Names that are look-alikes below a vendor's place alone. */
export const vendorNamePattern: string = `(?:^|/)${PREFIXES}(?:${namesOf(ambiguousNames)}|${BESIDE_ISTIO}${namesOf(vendorNames.keys())})${SUFFIXES}${END}`;

const startOf = (place: string): string =>
  place.startsWith(DOCKER_HUB)
    ? String.raw`(?:(?:index\.)?docker\.io/)?${quoteMeta(place.slice(DOCKER_HUB.length))}`
    : quoteMeta(place);

const placesOf = (places: Iterable<string>): string => oneOf([...places].map(startOf));

/** Everything below the vendors' places. */
export const vendorPlacePattern: string = `^${placesOf(vendors.flatMap(({ places }) => places))}/`;

/** Images directly below the built-in hubs. */
export const hubPattern: string = `^${placesOf(builtInHubNames)}/[^/]*$`;

/** Images with the name of a sample, which are not Istio's on a built-in hub. */
export const samplePattern: string = `/${oneOf([
  ...[...samples].map(quoteMeta),
  ...samplePrefixes.map((prefix) => `${quoteMeta(prefix)}[^/:@]*`),
])}${END}`;

/** `sha256:` and 12 digits: enough to distinguish it from any other. */
export const digestPattern = (digest: string): string => digest.slice(0, 19);

/**
 * The additions of a configuration, by pattern: the images directly below each hub and mirror that is no built-in hub,
 * where no name is a sample's, and each revoked digest, which is refused in any image.
 */
export const exactAdditionsOf = (
  { hubs: listed, mirrors }: Places,
  revoked: readonly string[],
): readonly string[] => {
  const added = [
    ...listed.filter((name) => !builtInHubNames.includes(name)),
    ...mirrors.map(({ mirror }) => mirror),
  ];
  return [
    ...new Set([
      ...added.map((place) => `^${startOf(place.toLowerCase())}/[^/]*$`),
      ...revoked.map(digestPattern),
    ]),
  ];
};
