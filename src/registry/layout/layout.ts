import type { Digest } from '../../image/index.ts';
import { parseReferrers, referrersTag } from '../referrers/parse-referrers.ts';
import type { Referrer, Source } from '../source.ts';
import { createLayoutContent } from './layout-content.ts';
import { invalidLayout, readLayoutBlob } from './layout-files.ts';
import { collectImages, type LayoutImage } from './layout-images.ts';
import { createReadIndex, type LayoutEntry } from './layout-index.ts';
import { couldBeImage, hasName, isSignatureTag, matchTag } from './layout-names.ts';

/** An OCI image layout on disk (OCI image-spec, image-layout.md). */
export interface Layout {
  /** The layout as a source, for images of this repository. */
  open(repository: string): Source;
  images(): Promise<readonly LayoutImage[]>;
}

interface LayoutLimits {
  readonly manifestBytes: number;
  readonly blobBytes: number;
}

/** `index.json` lists everything of a layout, and is as much longer than one manifest. */
const INDEX_LENGTH = 8;

/** The image that a tag stands for: a whole reference before a tag alone. Throws where it stands for several. */
const findByTag = (
  entries: readonly LayoutEntry[],
  {
    repository,
    tag,
    directory,
  }: { readonly repository: string; readonly tag: string; readonly directory: string },
): Digest | undefined => {
  for (const how of ['whole', 'bare'] as const) {
    const found = entries.filter((entry) => matchTag(entry, repository, tag) === how);
    const [digest, ...others] = new Set(found.map((entry) => entry.digest));
    if (others.length > 0)
      throw invalidLayout(
        directory,
        `${others.length + 1} images have the name ${tag}: name this one by digest`,
      );
    if (digest !== undefined) return digest;
  }
  return undefined;
};

/** Opens a layout. Nothing is read before it is asked for something. */
export const openLayout = (directory: string, { manifestBytes, blobBytes }: LayoutLimits): Layout => {
  const readIndex = createReadIndex(directory, INDEX_LENGTH * manifestBytes);
  const {
    readManifest,
    readManifests: readReadable,
    findReferrers: findReferring,
    readSignatures,
  } = createLayoutContent(directory, manifestBytes);

  /** What the fallback tag lists, wherever a tool has copied one from. */
  const listByTag = async (entries: readonly LayoutEntry[], digest: Digest): Promise<readonly Referrer[]> => {
    const indexes = await readReadable(entries.filter((entry) => hasName(entry, referrersTag(digest))));
    return indexes.flatMap(({ bytes }) => parseReferrers(bytes) ?? []);
  };

  const referrers: Source['referrers'] = async (digest) => {
    const entries = await readIndex();
    const referring = await findReferring(entries);
    const own = referring
      .filter(({ subject }) => subject === digest)
      .map(({ entry, artifactType }) => ({ digest: entry.digest, artifactType }));
    // A list that is broken must not hide what refers to the image by itself.
    const listed = await listByTag(entries, digest).catch((error: unknown) => {
      if (own.length === 0) throw error;
      return [];
    });
    const all = [...listed, ...own];
    return { descriptors: [...new Map(all.map((one) => [one.digest, one])).values()], more: false };
  };

  return {
    open: (repository) => ({
      id: `evidence ${directory}`,
      async resolve(tag) {
        const entries = (await readIndex()).filter(couldBeImage);
        return findByTag(entries, { repository, tag, directory });
      },
      async manifest(at) {
        if ('digest' in at) return readManifest(at.digest, undefined);
        return isSignatureTag(at.tag) ? readSignatures(await readIndex(), at.tag) : undefined;
      },
      blob: (digest) => readLayoutBlob(directory, digest, blobBytes),
      referrers,
    }),
    async images() {
      const entries = await readIndex();
      return collectImages(entries, await findReferring(entries));
    },
  };
};
