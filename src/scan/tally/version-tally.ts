import { parseImageReference } from '../../image/index.ts';
import { compareVersions, parseRelease, supportOf } from '../../istio/index.ts';
import type { JudgedUse } from '../judge/judge-object.ts';
import type { VersionUse } from '../scan-result.ts';
import { boundedText } from './tally-limits.ts';

/** Images of one version that are listed. */
const MAX_IMAGES = 100;

/** Versions that are listed beside those of Istio's own table: anyone can write a tag. */
const MAX_VERSIONS = 200;

interface TalliedVersion {
  pods: number;
  readonly images: Set<string>;
}

/** Collects the minor versions of Istio's images that run. */
export interface VersionTally {
  /** Adds the images of one pod. */
  add(uses: readonly JudgedUse[]): void;
  /** The oldest first, with their support on a day, `2026-11-30`. */
  versions(today: string): readonly VersionUse[];
}

/** True for a version that Istio's table of support has: no other one can take its place. */
const isInTable = (version: string): boolean => {
  const { ends, expected } = supportOf(version, '');
  return ends !== null || expected !== null;
};

/** The minor version that the tag of an image names, whether or not Istio built it. */
const versionOf = (image: string): string | undefined => {
  const parsed = parseImageReference(image);
  return parsed.ok ? parseRelease(parsed.reference.tag ?? '')?.version : undefined;
};

export const createVersionTally = (): VersionTally => {
  const versions = new Map<string, TalliedVersion>();
  const ofImage = (image: string): TalliedVersion | undefined => {
    const version = versionOf(image);
    if (version === undefined) return undefined;
    const known = versions.get(version);
    if (known !== undefined) return known;
    if (versions.size >= MAX_VERSIONS && !isInTable(version)) return undefined;
    const created: TalliedVersion = { pods: 0, images: new Set() };
    versions.set(version, created);
    return created;
  };
  return {
    add(uses) {
      const ofPod = new Set<TalliedVersion>();
      for (const { image } of uses) {
        const version = ofImage(image);
        if (version === undefined) continue;
        ofPod.add(version);
        if (version.images.size < MAX_IMAGES) version.images.add(boundedText(image));
      }
      for (const version of ofPod) version.pods += 1;
    },
    versions: (today) =>
      [...versions]
        .toSorted(([one], [other]) => compareVersions(one, other))
        .map(([version, { pods, images }]) => {
          const { ends, supported } = supportOf(version, today);
          return { version, supportEnds: ends, supported, pods, images: [...images].toSorted() };
        }),
  };
};
