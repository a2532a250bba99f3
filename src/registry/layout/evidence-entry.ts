import type { Manifest } from '../source.ts';
import { KIND, KINDS, NAME } from './annotations.ts';
import type { EvidenceEntry } from './layout-writer.ts';

/** What proves one signature: its manifest, under the tag it stood under or as what refers to the image, and its layer. */
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

/** An image's own manifest or index, without its layers. `name`: the reference it is to be found by. */
export const imageEntry = (
  manifest: Manifest,
  kind: 'image' | 'index',
  name: string | undefined,
): EvidenceEntry => ({
  manifest,
  blobs: [],
  annotations: { [KIND]: KINDS[kind], ...(name === undefined ? {} : { [NAME]: name }) },
});
