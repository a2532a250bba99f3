import { oneLine } from '../../base/index.ts';
import { needsSecondKey, parseRelease, releaseKeys, secondKey } from '../../istio/index.ts';
import type { KeyRing, TrustedKey } from '../../verification/index.ts';
import type { Notice, ScannedImage } from '../scan-result.ts';
import { listReferences, sumPods, type VersionedImage } from './versions.ts';

const MAX_PROBLEM = 200;

const FIRST_KEY = releaseKeys.flatMap(({ location }) =>
  location.kind === 'built-in' ? [location.name] : [],
);

const isFirst = ({ source }: Pick<TrustedKey, 'source'>): boolean => FIRST_KEY.includes(source);

const needsSecond = (release: string): boolean => {
  const parsed = parseRelease(release);
  return parsed !== undefined && needsSecondKey(parsed);
};

/** True if the ring has proven to hold the second key: by its address, or by a release that another key than the first signed. */
const hasSecond = ({ keys }: KeyRing, images: readonly ScannedImage[]): boolean =>
  [...keys.values()].some(({ source }) => source === secondKey.url) ||
  images.some(
    ({ status, istioVersion, signedBy }) =>
      status === 'verified' &&
      istioVersion !== null &&
      needsSecond(istioVersion) &&
      signedBy.some((key) => !isFirst(key)),
  );

/** The notice on the second key, if the ring lacks it; none for a ring that trusts no key of Istio. */
const secondKeyNotice = (
  ring: KeyRing,
  images: readonly ScannedImage[],
  versioned: readonly VersionedImage[],
): readonly Notice[] => {
  const missing = ring.missing.find(({ source }) => source === secondKey.url);
  const keys = [...ring.keys.values()];
  const isIstios = missing !== undefined || keys.some(isFirst);
  if (!isIstios || hasSecond(ring, images)) return [];
  const uses = versioned.filter(({ release }) => needsSecond(release));
  const problem = missing === undefined ? '' : ` (${oneLine(missing.problem, MAX_PROBLEM)})`;
  const others = keys.some((key) => !isFirst(key)) ? ', unless one of its other keys is the same' : '';
  const remedy =
    missing === undefined
      ? `add ${secondKey.url} to the keys of the configuration, with a pin`
      : 'let its address be reached, or add the key as a file with a pin';
  const need =
    uses.length === 0
      ? `an upgrade to Istio ${secondKey.from} or later needs it`
      : `images of Istio ${secondKey.from} or later need it (${listReferences(uses).length})`;
  return [
    {
      kind: 'key-needed',
      severity: uses.length === 0 ? 'info' : 'warning',
      message: `The key ring lacks Istio's second release key${problem}${others}, and ${need}: ${remedy}`,
      subject: secondKey.url,
      date: null,
      pods: sumPods(uses),
      images: listReferences(uses),
    },
  ];
};

/** The notices on keys of URLs without a pin: what their address serves when a process starts is trusted. */
const unpinnedNotices = ({ keys }: KeyRing): readonly Notice[] => {
  const unpinned = [...keys.values()].filter(
    ({ source, pinned }) => !pinned && source.startsWith('https://'),
  );
  return [...Map.groupBy(unpinned, ({ source }) => source)].map(([source, served]) => ({
    kind: 'key-unpinned',
    severity: 'info',
    message: `${source} has no pin, so whoever controls it decides which key is trusted when sailmark starts: pin the SHA-256 of the key that it serves now, ${served.map(({ spkiSha256 }) => spkiSha256).join(', ')}, once you have compared it with Istio's`,
    subject: source,
    date: null,
    pods: 0,
    images: [],
  }));
};

/** Finds what is going to matter of the key ring. */
export const keyNotices = (
  ring: KeyRing,
  images: readonly ScannedImage[],
  versioned: readonly VersionedImage[],
): readonly Notice[] => [...secondKeyNotice(ring, images, versioned), ...unpinnedNotices(ring)];
