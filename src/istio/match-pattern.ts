import { ambiguousNames, distinctiveNames, placeholderImage } from './components.ts';
import { hubs } from './hubs.ts';
import type { Places } from './image-class.ts';

/*
 * The API server does not call the webhook for an image that the pattern does not match, so the pattern must match every
 * text that the classifier could classify as Istio. A needless match costs one call. The syntax is RE2 that means the
 * same in JavaScript; it is searched for anywhere in a text, ignoring case.
 */

/** The word in the names of all built-in hubs, and in all look-alikes but those whose own name is one. */
const ISTIO = 'istio';

/** As Go's `regexp.QuoteMeta`, which a chart calls as `regexQuoteMeta`. */
const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');

/** Between the words of a name stands what look-alikes may have there: `install_cni`. */
const namePattern = (name: string): string => name.split('-').map(quoteMeta).join('[._-]+');

/** `copilot` is none. The end is open: the classifier reads no more of a text than its beginning. */
const wordPattern = (name: string): string => String.raw`(?:\b|_)${namePattern(name)}`;

const DOCKER_HUB = 'docker.io/';

/** Docker Hub's images are written without its host too, and around what is no reference blanks do not count. */
const placePattern = (place: string): string => {
  const lower = place.toLowerCase();
  return lower.startsWith(DOCKER_HUB)
    ? String.raw`(?:^\W*|docker\.io/)${quoteMeta(lower.slice(DOCKER_HUB.length))}/`
    : `${quoteMeta(lower)}/`;
};

/** `sha256:` and 12 digits: enough to tell it from any other. */
const digestPattern = (digest: string): string => digest.slice(0, 19);

const namesIstio = (name: string): boolean => name.toLowerCase().includes(ISTIO);
const others = (names: Iterable<string>): readonly string[] => [...names].filter((name) => !namesIstio(name));

/** Matches Istio's own names, whatever is configured: hubs, look-alikes, and the placeholder of the injector. */
export const basePattern: string = [
  ISTIO,
  ...others(distinctiveNames).map(namePattern),
  ...others(ambiguousNames).map(wordPattern),
  ...others(hubs.flatMap(({ name, aliases }) => [name, ...aliases])).map(placePattern),
  `^${quoteMeta(placeholderImage)}$`,
].join('|');

/** What a configuration adds, by its pattern: each hub and mirror that `istio` does not find, each revoked digest. */
const additionsOf = ({ hubs: listed, mirrors }: Places, revoked: readonly string[]) => {
  const places = others([...listed, ...mirrors.map(({ mirror }) => mirror)]);
  return new Map([
    ...places.map((place) => [placePattern(place), place] as const),
    ...revoked.map((digest) => [digestPattern(digest), digest] as const),
  ]);
};

/**
 * The pattern of a configuration, `basePattern` first: its hubs and mirrors, in normal form, and the digests it revokes,
 * which are refused wherever they stand.
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

/** How the image `x` of a place may be written, but for a tag, a digest, and capitals in its host. */
const spellingsOf = (place: string): readonly string[] => {
  const whole = `${place}/x`;
  if (!place.startsWith(DOCKER_HUB)) return [whole];
  const short = whole.slice(DOCKER_HUB.length);
  return [whole, `index.${whole}`, short, ...(short === 'library/x' ? ['x'] : [])];
};

/**
 * Characters. A search costs a tenth of the text's length by a quarter of the pattern's (cel-go, `runtimecost.go`), and
 * 1,000,000 is all an expression may cost (k8s.io/apiserver, `apis/cel/config.go`): so 60 images of 300 characters fit.
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
