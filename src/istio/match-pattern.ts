import { ambiguousNames, distinctiveNames, placeholderImage } from './components.ts';
import { hubs } from './hubs.ts';
import type { Places } from './image-class.ts';

/*
 * The API server does not call the webhook for an image that the pattern does not match, so the pattern must match
 * every text that the classifier could classify as Istio. A needless match costs one call. The syntax is the part of
 * RE2 that means the same in JavaScript. The pattern is searched for anywhere in a text, ignoring case.
 */

/** The word in the names of all built-in hubs, and of all look-alikes except the names that are listed below. */
const ISTIO = 'istio';

/** Quotes like Go's `regexp.QuoteMeta`, which a chart calls as `regexQuoteMeta`. */
const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');

/** Allows the separators of look-alikes between the words of a name: `install_cni`. */
const namePattern = (name: string): string => name.split('-').map(quoteMeta).join('[._-]+');

/** Does not match `copilot`. The end is open for suffixes: `pilot_debug`. */
const wordPattern = (name: string): string => String.raw`(?:\b|_)${namePattern(name)}`;

const DOCKER_HUB = 'docker.io/';

/** Images of Docker Hub may be written without its host, and an invalid reference may have blanks around it. */
const placePattern = (place: string): string => {
  const lower = place.toLowerCase();
  return lower.startsWith(DOCKER_HUB)
    ? String.raw`(?:^\W*|docker\.io/)${quoteMeta(lower.slice(DOCKER_HUB.length))}/`
    : `${quoteMeta(lower)}/`;
};

/** `sha256:` and 12 digits: enough to distinguish it from any other. */
const digestPattern = (digest: string): string => digest.slice(0, 19);

const namesIstio = (name: string): boolean => name.toLowerCase().includes(ISTIO);
const others = (names: Iterable<string>): readonly string[] => [...names].filter((name) => !namesIstio(name));

/** Matches Istio's own names, independent of the configuration: hubs, look-alikes, and the injector's placeholder. */
export const basePattern: string = [
  ISTIO,
  ...others(distinctiveNames).map(namePattern),
  ...others(ambiguousNames).map(wordPattern),
  ...others(hubs.flatMap(({ name, aliases }) => [name, ...aliases])).map(placePattern),
  `^${quoteMeta(placeholderImage)}$`,
].join('|');

/**
 * The additions of a configuration, by pattern: each hub and mirror without `istio` in its name, each revoked digest.
 */
const additionsOf = ({ hubs: listed, mirrors }: Places, revoked: readonly string[]) => {
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

/** A name that the pattern cannot express. */
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

/**
 * Characters. A search costs a tenth of the text's length times a quarter of the pattern's (cel-go,
 * `runtimecost.go`), and an expression may cost at most 1,000,000 (k8s.io/apiserver, `apis/cel/config.go`): so 60
 * images of 300 characters fit.
 */
const MAX_PATTERN_LENGTH = 1800;

/** Returns the first name that exceeds the length, if any. */
const tooMuch = (places: Places, revoked: readonly string[]): readonly Unmatchable[] => {
  const why = `makes the match condition cost more than the API server allows for a large pod: its names may have ${MAX_PATTERN_LENGTH} characters in total, so list fewer, or a path that several share`;
  let length = basePattern.length;
  for (const [pattern, place] of additionsOf(places, revoked)) {
    length += pattern.length + 1;
    if (length > MAX_PATTERN_LENGTH) return [{ place, why }];
  }
  return [];
};

/** Returns the hubs, mirrors and revoked digests of a configuration whose images the pattern would not match. */
export const findUnmatchable = (places: Places, revoked: readonly string[]): readonly Unmatchable[] => {
  const pattern = new RegExp(matchPattern(places, revoked), 'i');
  const nameless = [...places.hubs, ...places.mirrors.map(({ mirror }) => mirror)].flatMap((place) => {
    const spelling = spellingsOf(place).find((one) => !pattern.test(one));
    return spelling === undefined
      ? []
      : [
          {
            place,
            why: `must not be a registry path whose images can be written without its name, as "${spelling}"`,
          },
        ];
  });
  return [...nameless, ...tooMuch(places, revoked)];
};
