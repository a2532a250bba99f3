import { parseImageReference } from '../../image/index.ts';
import { compareVersions, parseRelease } from '../../istio/index.ts';
import type { ConfiguredImage, ScannedImage } from '../scan-result.ts';

/** An image that runs or is configured, and its Istio version. */
export interface VersionedImage {
  readonly reference: string;
  /** `1.28`. */
  readonly version: string;
  /** `1.28.1`. */
  readonly release: string;
  /** Running pods. */
  readonly pods: number;
}

/** References that a notice lists. */
const MAX_IMAGES = 50;

/** The day of a time in milliseconds, in UTC: `2026-11-30`. */
export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Images by version, release and pods; those without a release in their tag have none. */
export const versionedImages = (
  images: readonly ScannedImage[],
  preflight: readonly ConfiguredImage[],
): readonly VersionedImage[] => [
  ...images.flatMap(({ reference, istioVersion, pods }) => {
    const release = istioVersion === null ? undefined : parseRelease(istioVersion);
    return release === undefined
      ? []
      : [{ reference, pods, version: release.version, release: release.release }];
  }),
  ...preflight.flatMap(({ reference }) => {
    const parsed = parseImageReference(reference);
    const release = parsed.ok ? parseRelease(parsed.reference.tag ?? '') : undefined;
    return release === undefined
      ? []
      : [{ reference, pods: 0, version: release.version, release: release.release }];
  }),
];

/** The distinct references among images, the most used first, as far as they are listed. */
export const listReferences = (
  images: readonly { readonly reference: string; readonly pods: number }[],
): readonly string[] =>
  [
    ...new Set(images.toSorted((left, right) => right.pods - left.pods).map(({ reference }) => reference)),
  ].slice(0, MAX_IMAGES);

export const sumPods = (images: readonly { readonly pods: number }[]): number =>
  images.reduce((sum, { pods }) => sum + pods, 0);

/** Groups images by their minor version, the oldest first. */
export const byVersion = (
  images: readonly VersionedImage[],
): readonly (readonly [version: string, images: readonly VersionedImage[]])[] =>
  [...Map.groupBy(images, ({ version }) => version)].toSorted(([left], [right]) =>
    compareVersions(left, right),
  );
