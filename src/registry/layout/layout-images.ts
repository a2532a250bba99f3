import type { Digest } from '../../image/index.ts';
import { isIndex, type LayoutReferrer } from './layout-content.ts';
import type { LayoutEntry } from './layout-index.ts';
import { couldBeImage, isSignatures, signedDigestOf } from './layout-names.ts';

/** An image that a layout holds, or holds signatures of. */
export interface LayoutImage {
  readonly digest: Digest;
  readonly names: readonly string[];
  /** Undefined: only its signatures are here. */
  readonly kind: 'image' | 'index' | undefined;
  /** Manifests of signatures and of bundles; what is in them nobody has verified. */
  readonly signatures: number;
  readonly referrers: number;
}

/** Every digest that a layout holds an image of, or something that is said about one, in the order of its index. */
export const collectImages = (
  entries: readonly LayoutEntry[],
  referring: readonly LayoutReferrer[],
): readonly LayoutImage[] => {
  const images = new Map<Digest, LayoutImage>();
  const change = (digest: Digest, changeOf: (image: LayoutImage) => Partial<LayoutImage>): void => {
    const before = images.get(digest) ?? { digest, names: [], kind: undefined, signatures: 0, referrers: 0 };
    images.set(digest, { ...before, ...changeOf(before) });
  };
  const about = new Set(referring.map(({ entry }) => entry));
  for (const entry of entries.filter((one) => couldBeImage(one) && !about.has(one)))
    change(entry.digest, ({ names }) => ({
      names: [...new Set([...names, ...entry.names])],
      kind: isIndex(entry) ? 'index' : 'image',
    }));
  const [only, ...others] = images.keys();
  for (const entry of entries.filter(isSignatures)) {
    // cosign names nothing: its layouts hold one image.
    const digest = signedDigestOf(entry) ?? (others.length === 0 ? only : undefined);
    if (digest !== undefined) change(digest, ({ signatures }) => ({ signatures: signatures + 1 }));
  }
  for (const { subject } of referring) change(subject, ({ referrers }) => ({ referrers: referrers + 1 }));
  return [...images.values()];
};
