import type { Places } from './image-class.ts';
import { matchPattern } from './match-pattern.ts';
import { matchPatterns, priceOfLargePod } from './match-patterns.ts';
import { DOCKER_HUB } from './pattern-syntax.ts';

/** A name that the patterns of the match condition cannot express. */
export interface Unmatchable {
  /** A hub or mirror in normal form, or a revoked digest. */
  readonly place: string;
  /** The problem and its remedy, read after the path: `must not be …`. */
  readonly why: string;
}

/** The spellings of the image `x` of a place, except for a tag, a digest, and capitals in its host. */
const spellingsOf = (place: string): readonly string[] => {
  const whole = `${place}/x`;
  if (!place.startsWith(DOCKER_HUB)) return [whole];
  const short = whole.slice(DOCKER_HUB.length);
  return [whole, `index.${whole}`, short, ...(short === 'library/x' ? ['x'] : [])];
};

/** The hubs and mirrors with images that the pattern does not match. */
const namelessOf = (places: Places): readonly Unmatchable[] => {
  const pattern = new RegExp(matchPattern(places, []), 'i');
  return [...places.hubs, ...places.mirrors.map(({ mirror }) => mirror)].flatMap((place) => {
    const spelling = spellingsOf(place).find((one) => !pattern.test(one));
    const why = `must not be a registry path whose images can be written without its name, as "${spelling}"`;
    return spelling === undefined ? [] : [{ place, why }];
  });
};

/**
 * An expression may cost at most 1,000,000 (k8s.io/apiserver, `apis/cel/config.go`). A tenth is left for all but the
 * searches.
 */
const MAX_PRICE = 900_000;

const TOO_MUCH =
  'makes the match condition cost more than the API server allows for a large pod: list fewer hubs, mirrors and revoked digests, or a path that several share';

/** The first so many names of a configuration, in the order in which the patterns list them. */
const firstOf = ({ hubs, mirrors }: Places, revoked: readonly string[], count: number) => ({
  places: { hubs: hubs.slice(0, count), mirrors: mirrors.slice(0, Math.max(count - hubs.length, 0)) },
  revoked: revoked.slice(0, Math.max(count - hubs.length - mirrors.length, 0)),
});

/** Returns the first name that makes the patterns cost too much, if any. */
const tooMuchOf = (places: Places, revoked: readonly string[]): readonly Unmatchable[] => {
  const names = [...places.hubs, ...places.mirrors.map(({ mirror }) => mirror), ...revoked];
  const isTooMuch = (count: number): boolean => {
    const first = firstOf(places, revoked, count);
    return priceOfLargePod(matchPatterns(first.places, first.revoked)) > MAX_PRICE;
  };
  if (!isTooMuch(names.length)) return [];
  const place = names.find((_, index) => isTooMuch(index + 1));
  return place === undefined ? [] : [{ place, why: TOO_MUCH }];
};

/** Returns the hubs, mirrors and revoked digests of a configuration that the match condition cannot express. */
export const findUnmatchable = (places: Places, revoked: readonly string[]): readonly Unmatchable[] => [
  ...namelessOf(places),
  ...tooMuchOf(places, revoked),
];
