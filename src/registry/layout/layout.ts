import type { Digest } from '../../image/index.ts';
import { referrersTag, referrersUnderTag } from '../referrers/parse-referrers.ts';
import type { Referrer, Source } from '../source.ts';
import { createLayoutContent } from './layout-content.ts';
import { invalidLayout, readLayoutBlob } from './layout-files.ts';
import { collectImages, type LayoutImage } from './layout-images.ts';
import { createReadIndex, type LayoutEntry } from './layout-index.ts';
import { couldBeImage, hasName, isSignatureTag, matchTag } from './layout-names.ts';

/** An OCI image layout on disk (OCI image-spec, image-layout.md). */
export interface Layout {
  /** Opens the layout as a source for images of this repository, by its name in normal form. */
  open(repository: string): Source;
  images(): Promise<readonly LayoutImage[]>;
}

interface LayoutLimits {
  readonly manifestBytes: number;
  readonly blobBytes: number;
}

/** The limit for `index.json`, which lists all of a layout, in multiples of the limit for one manifest. */
const INDEX_FACTOR = 8;

/** Resolves a tag. A whole reference precedes a bare tag. Throws if the tag resolves to several images. */
const findByTag = (
  entries: readonly LayoutEntry[],
  {
    repository,
    tag,
    directory,
  }: { readonly repository: string; readonly tag: string; readonly directory: string },
): Digest | undefined => {
  for (const match of ['whole', 'bare'] as const) {
    const matching = entries.filter((entry) => matchTag(entry, repository, tag) === match);
    const [digest, ...others] = new Set(matching.map((entry) => entry.digest));
    if (others.length > 0)
      throw invalidLayout(
        directory,
        `${others.length + 1} images have the name ${tag}; reference the image by digest`,
      );
    if (digest !== undefined) return digest;
  }
  return undefined;
};

/** Opens a layout. No file is read before one of its functions is called. */
export const openLayout = (directory: string, { manifestBytes, blobBytes }: LayoutLimits): Layout => {
  const readIndex = createReadIndex(directory, INDEX_FACTOR * manifestBytes);
  const { readManifest, readManifests, findReferrers, readSignatures } = createLayoutContent(
    directory,
    manifestBytes,
  );

  /** Lists the referrers under the fallback tag, which tools copy from registries. */
  const listByTag = async (entries: readonly LayoutEntry[], digest: Digest): Promise<readonly Referrer[]> => {
    const indexes = await readManifests(entries.filter((entry) => hasName(entry, referrersTag(digest))));
    return indexes.flatMap((index) => referrersUnderTag(index, digest));
  };

  const referrers: Source['referrers'] = async (digest) => {
    const entries = await readIndex();
    const own = (await findReferrers(entries))
      .filter(({ subject }) => subject === digest)
      .map(({ entry, artifactType }) => ({ digest: entry.digest, artifactType }));
    // A malformed list must not hide the referrers that name the image as their subject.
    const listed = await listByTag(entries, digest).catch((error: unknown) => {
      if (own.length === 0) throw error;
      return [];
    });
    const all = [...listed, ...own];
    return {
      descriptors: [...new Map(all.map((referrer) => [referrer.digest, referrer])).values()],
      more: false,
    };
  };

  return {
    open: (repository) => ({
      id: `evidence ${directory}`,
      async resolve(tag) {
        const entries = (await readIndex()).filter(couldBeImage);
        return findByTag(entries, { repository, tag, directory });
      },
      async manifest(at, _signal, limit) {
        if ('digest' in at) return readManifest(at.digest, undefined, limit);
        return isSignatureTag(at.tag) ? readSignatures(await readIndex(), at.tag) : undefined;
      },
      blob: (digest, _signal, limit = blobBytes) =>
        readLayoutBlob(directory, digest, Math.min(limit, blobBytes)),
      referrers,
    }),
    async images() {
      const entries = await readIndex();
      return collectImages(entries, await findReferrers(entries));
    },
  };
};
