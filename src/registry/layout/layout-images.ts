import type { Digest } from '../../image/index.ts';
import { isIndex, type LayoutReferrer } from './layout-content.ts';
import type { LayoutEntry } from './layout-index.ts';
import { couldBeImage, isSignatures, signedDigestOf } from './layout-names.ts';

/** An image that a layout contains, or contains only signatures or referrers of. */
export interface LayoutImage {
  readonly digest: Digest;
  readonly names: readonly string[];
  /** Undefined: the layout does not contain the image itself. */
  readonly kind: 'image' | 'index' | undefined;
  /** The number of signature manifests; their content is not verified. */
  readonly signatures: number;
  /** The number of manifests that refer to the image; their content is not verified. */
  readonly referrers: number;
}

/** Collects every digest that a layout contains an image, signatures or referrers of, in the order of its index. */
export const collectImages = (
  entries: readonly LayoutEntry[],
  referrers: readonly LayoutReferrer[],
): readonly LayoutImage[] => {
  const images = new Map<Digest, LayoutImage>();
  const change = (digest: Digest, changeOf: (image: LayoutImage) => Partial<LayoutImage>): void => {
    const before = images.get(digest) ?? { digest, names: [], kind: undefined, signatures: 0, referrers: 0 };
    images.set(digest, { ...before, ...changeOf(before) });
  };
  const referrerEntries = new Set(referrers.map(({ entry }) => entry));
  for (const entry of entries.filter(
    (candidate) => couldBeImage(candidate) && !referrerEntries.has(candidate),
  ))
    change(entry.digest, ({ names }) => ({
      names: [...new Set([...names, ...entry.names])],
      kind: isIndex(entry) ? 'index' : 'image',
    }));
  const [only, ...others] = images.keys();
  for (const entry of entries.filter(isSignatures)) {
    // cosign gives no names: its layouts contain one image.
    const digest = signedDigestOf(entry) ?? (others.length === 0 ? only : undefined);
    if (digest !== undefined) change(digest, ({ signatures }) => ({ signatures: signatures + 1 }));
  }
  for (const { subject } of referrers) change(subject, (image) => ({ referrers: image.referrers + 1 }));
  return [...images.values()];
};
