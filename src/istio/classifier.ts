import {
  createRepository,
  type ImageReference,
  parseImageReference,
  type Repository,
  repositoryFromName,
} from '../image/index.ts';
import { findComponent, isSample, lastSegmentOf } from './component.ts';
import { distinctiveNames } from './components.ts';
import { explainUnsignedDigest, explainUnsignedTag, isBundleTag } from './explain-unsigned.ts';
import { type Hub, hubs } from './hubs.ts';
import type { ImageClass, Mirror, Places } from './image-class.ts';
import { findLookAlike } from './look-alike.ts';
import { matchPattern } from './match-pattern.ts';
import { componentOfStart } from './starts.ts';

/** Classifies images by name, for the hubs and mirrors of one configuration. Pure; no call throws. */
export interface Classifier {
  readonly classify: (reference: ImageReference) => ImageClass;
  /**
   * True if a text that is not a valid image reference may still be meant as an Istio image: without its digest or
   * capitals it names one, the end of its path is a look-alike's, or it contains the name of a hub or mirror, or a
   * distinctive Istio name. A container runtime accepts `@sha512:`, and a text that is longer than the parser's limit.
   */
  readonly couldBeIstio: (text: string) => boolean;
}

/** A hub or mirror with images directly below it. */
interface Place {
  readonly place: string;
  readonly places: readonly string[];
  /** The built-in hub with the same content; undefined: the hub is only in the configuration. */
  readonly hub: Hub | undefined;
  /** True for a built-in hub: only Istio can push there, so a sample's name means a sample. */
  readonly hasSamples: boolean;
  /** Maps an image name of this mirror to the hub's name for it. */
  readonly hubNameOf: (segment: string) => string;
  /** The repositories that may hold the signatures of an image of this name, in order. */
  readonly signaturesOf: (segment: string) => readonly string[];
}

/** Bounds the work. A longer text is no valid reference, but a runtime may pull it. */
const MAX_TEXT_LENGTH = 4096;

/**
 * Classifies images by their repository and tag. An image belongs to a hub or mirror if it is exactly one path segment
 * below it; a deeper path is a third-party image. A mirror that is also named as a hub is a mirror.
 */
export function createClassifier(configured: Places): Classifier {
  const byName = new Map<string, Place>();
  for (const name of configured.hubs) {
    const hub = findHub(name);
    const places = hub === undefined ? [name] : [hub.name, ...hub.aliases];
    for (const each of places) byName.set(each, placeOfHub(each, places, hub));
  }
  for (const mirror of configured.mirrors) byName.set(mirror.mirror, placeOfMirror(mirror));

  const classify = (reference: ImageReference): ImageClass => {
    const slash = reference.repository.name.lastIndexOf('/');
    const place = byName.get(reference.repository.name.slice(0, slash));
    return place === undefined
      ? classOfOthers(reference)
      : classBelow(place, reference.repository.name.slice(slash + 1), reference);
  };
  return { classify, couldBeIstio: createTextCheck([...byName.keys()], classify, configured) };
}

const findHub = (name: string): Hub | undefined =>
  hubs.find((hub) => hub.name === name || hub.aliases.includes(name));

/** A retired name of a hub: images that are signed at the hub are signed here too, by digest. */
function placeOfHub(name: string, places: readonly string[], hub: Hub | undefined): Place {
  const [first = name] = places;
  const signaturesOf = (segment: string) => [...new Set([name, first])].map((each) => `${each}/${segment}`);
  const hubNameOf = (segment: string) => segment;
  return { place: first, places, hub, hasSamples: hub !== undefined, hubNameOf, signaturesOf };
}

function placeOfMirror({ mirror, of, components = {}, signatures = 'mirror' }: Mirror): Place {
  const hub = findHub(of);
  const hubNameOf = (segment: string): string =>
    (Object.hasOwn(components, segment) ? components[segment] : undefined) ?? segment;
  const signaturesOf = (segment: string): readonly string[] => {
    const here = `${mirror}/${segment}`;
    const there = `${hub?.name ?? of}/${hubNameOf(segment)}`;
    if (signatures === 'mirror') return [here];
    if (signatures === 'hub') return [there];
    return signatures === 'mirror-then-hub' ? [here, there] : [signatures];
  };
  return { place: mirror, places: [mirror], hub, hasSamples: false, hubNameOf, signaturesOf };
}

function classBelow(at: Place, segment: string, reference: ImageReference): ImageClass {
  const { place, places, hub, hasSamples, hubNameOf, signaturesOf } = at;
  const name = hubNameOf(segment);
  if (hasSamples && isSample(name)) return { kind: 'other' };
  const isDigestAlone = reference.tag === undefined && reference.digest !== undefined;
  const unsignedHint = isDigestAlone && hub?.releases === true ? explainUnsignedDigest() : undefined;
  const component = findComponent(name);
  return {
    kind: 'istio',
    place,
    places,
    component,
    componentOf: (signed) => findComponent(hubNameOf(lastSegmentOf(signed))),
    componentOfStart: (word) => componentOfStart(word, component),
    isLikelyBundled: isBundleTag(reference.tag),
    signaturesAt: signaturesOf(segment).map(repositoryFromName),
    neverSigned: hub?.neverSigned ?? (hub?.releases === true ? unsignedByTag(reference) : undefined),
    ...(unsignedHint === undefined ? {} : { unsignedHint }),
  };
}

const unsignedByTag = ({ tag, digest }: ImageReference): string | undefined =>
  tag === undefined ? undefined : explainUnsignedTag(tag, digest !== undefined);

function classOfOthers(reference: ImageReference): ImageClass {
  const lookAlike = findLookAlike(reference.repository);
  return lookAlike === undefined ? { kind: 'other' } : { kind: 'look-alike', ...lookAlike };
}

/** Lower-cases ASCII only, as the match condition ignores case: `İ` must not become an `i` here but not there. */
const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

/**
 * The repository that an invalid reference seems to name; nothing of it is checked. The host ends at the first slash and
 * the path at the first colon or `@` (containerd, `pkg/reference`, `Parse`).
 */
function seemingRepository(text: string): Repository {
  const slash = text.indexOf('/');
  const [path = ''] = text.slice(slash + 1).split(/[:@]/, 1);
  return createRepository(text.slice(0, Math.max(slash, 0)), path);
}

function createTextCheck(
  names: readonly string[],
  classify: Classifier['classify'],
  configured: Places,
): Classifier['couldBeIstio'] {
  const signs = [...names.map((name) => `${name}/`), ...distinctiveNames];
  // Docker Hub's images are written without its host.
  const beginnings = names
    .filter((name) => name.startsWith('docker.io/'))
    .map((name) => `${name.slice(10)}/`);
  // A text too long to parse is refused if the API server asks about it. The pattern takes linear time.
  const pattern = new RegExp(matchPattern(configured, []), 'i');
  return (text) => {
    if (text.length > MAX_TEXT_LENGTH) return pattern.test(text);
    const lower = lowerAscii(text).trim();
    const [withoutDigest = ''] = lower.split('@', 1);
    const parsed = parseImageReference(withoutDigest);
    if (findLookAlike(seemingRepository(lower)) !== undefined) return true;
    if (parsed.ok) return classify(parsed.reference).kind !== 'other';
    return (
      signs.some((sign) => lower.includes(sign)) ||
      beginnings.some((beginning) => lower.startsWith(beginning))
    );
  };
}
