import type { Manifest } from '../source.ts';
import { KIND, KINDS, NAME } from './annotations.ts';
import type { EvidenceEntry } from './layout-writer.ts';

/** Returns the entry of one signature: its manifest, with its tag or as a referrer of the image, and its layer. */
export const signatureEntry = ({
  manifest,
  tag,
  blob,
}: {
  readonly manifest: Manifest;
  readonly tag: string | undefined;
  readonly blob: Uint8Array;
}): EvidenceEntry => ({
  manifest,
  blobs: [blob],
  annotations: tag === undefined ? {} : { [KIND]: KINDS.signatures, [NAME]: tag },
});

/**
 * Returns the entry of what an image starts: its own manifest, with what that leads to. It carries no kind and no name:
 * cosign reads the first image that has a kind.
 */
export const startEntry = ({
  manifest,
  blobs,
}: {
  readonly manifest: Manifest;
  readonly blobs: readonly Uint8Array[];
}): EvidenceEntry => ({ manifest, blobs, annotations: {} });

/** Returns the entry of an image's own manifest or index, without layers. `name`: the reference to find it by. */
export const imageEntry = (
  manifest: Manifest,
  kind: 'image' | 'index',
  name: string | undefined,
): EvidenceEntry => ({
  manifest,
  blobs: [],
  annotations: { [KIND]: KINDS[kind], ...(name === undefined ? {} : { [NAME]: name }) },
});
