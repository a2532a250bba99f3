import { type Digest, digestOf } from '../../image/index.ts';
import { NAME } from '../layout/annotations.ts';
import { signedDigestOfTag } from '../layout/layout-names.ts';
import type { EvidenceEntry } from '../layout/layout-writer.ts';
import { mergeManifests, parseSubject } from '../layout/manifest-fields.ts';
import type { Manifest, Source } from '../source.ts';

/** Evidence in memory, by image. */
export interface SharedEntries {
  /** Returns the evidence for an image. */
  of(image: Digest): readonly EvidenceEntry[];
  all(): Iterable<EvidenceEntry>;
}

/** The digests of blobs, computed once. */
const blobDigests = new WeakMap<Uint8Array, Digest>();

const digestOfBlob = (blob: Uint8Array): Digest => {
  const digest = blobDigests.get(blob) ?? digestOf(blob);
  blobDigests.set(blob, digest);
  return digest;
};

/** Opens evidence in memory as a source, which reads it as a layout on disk is read. It resolves no tag. */
export const openSharedLayout = (id: string, { of, all }: SharedEntries): Source => {
  const findBlob = (digest: Digest): Uint8Array | undefined => {
    for (const { blobs } of all()) for (const blob of blobs) if (digestOfBlob(blob) === digest) return blob;
    return undefined;
  };
  return {
    id,
    resolve: () => Promise.resolve(undefined),
    async manifest(at) {
      if ('digest' in at) {
        for (const { manifest } of all()) if (manifest.digest === at.digest) return manifest;
        // The manifest that an index leads to is a blob beside it, as every manifest is in a layout on disk.
        const bytes = findBlob(at.digest);
        return bytes && { digest: at.digest, mediaType: undefined, bytes };
      }
      const image = signedDigestOfTag(at.tag);
      if (image === undefined) return undefined;
      const named = of(image).filter(({ annotations }) => annotations[NAME] === at.tag);
      const manifests = new Map<Digest, Manifest>(named.map(({ manifest }) => [manifest.digest, manifest]));
      return mergeManifests([...manifests.values()]);
    },
    blob: async (digest) => findBlob(digest),
    async referrers(image) {
      const referrers = of(image).flatMap(({ manifest, annotations }) => {
        const { subject, artifactType } = parseSubject(manifest.bytes);
        return annotations[NAME] === undefined && subject === image
          ? [{ digest: manifest.digest, artifactType }]
          : [];
      });
      return { descriptors: referrers, more: false };
    },
  };
};
