import { listWithin, messageOf, oneLine, turnToParse } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import { type Source, SourceFault } from '../../registry/index.ts';
import { type ImageManifest, parseImageManifest } from '../../verification/index.ts';

/** Bounds what is read of a manifest: many times what those of Istio have. */
const MAX_MANIFEST_BYTES = 1024 * 1024;

/** The platforms whose configurations are compared; Istio has two. */
const MAX_PLATFORMS = 4;

/** A text that says why something could not be read. */
interface Unread {
  readonly why: string;
}

export const isUnread = (value: object): value is Unread => Object.hasOwn(value, 'why');

/** The configurations of an image. `more`: others that were not read. */
interface Configurations {
  readonly digests: readonly Digest[];
  readonly more?: string;
}

/** The manifests that a verified digest leads to, each read once, and only if something asks for it. */
export interface ImageContent {
  readonly manifest: (digest: Digest) => Promise<ImageManifest | Unread | undefined>;
  readonly configurations: (image: ImageManifest) => Promise<Configurations>;
}

interface ContentOptions {
  readonly source: Source;
  readonly maxRequests: number;
  /** The number of requests that the source has sent. */
  readonly sent: () => number;
  readonly signal: AbortSignal;
}

/** Reads manifests of one repository within a number of requests. Nothing rejects. */
export const createImageContent = ({ source, maxRequests, sent, signal }: ContentOptions): ImageContent => {
  // A read counts before its request is sent, so that concurrent ones do not exceed the limit.
  let reads = 0;
  const read = new Map<Digest, Promise<ImageManifest | Unread | undefined>>();

  const readOne = async (digest: Digest): Promise<ImageManifest | Unread | undefined> => {
    if (Math.max(reads, sent()) >= maxRequests) return { why: 'no more requests may be sent for this image' };
    reads += 1;
    try {
      const manifest = await source.manifest({ digest }, signal, MAX_MANIFEST_BYTES);
      if (manifest === undefined) return undefined;
      await turnToParse(manifest.bytes);
      return parseImageManifest(manifest.bytes);
    } catch (error) {
      const detail = error instanceof SourceFault ? error.message : messageOf(error);
      return { why: oneLine(detail, 200) };
    }
  };

  const manifest = (digest: Digest) => {
    const known = read.get(digest) ?? readOne(digest);
    read.set(digest, known);
    return known;
  };

  return {
    manifest,
    async configurations(image) {
      if (image.kind === 'image') return { digests: [image.configuration] };
      if (image.kind === 'other') return { digests: [], more: 'its manifest is not one of an image' };
      const digests: Digest[] = [];
      const unread: string[] = [];
      for (const child of image.children.slice(0, MAX_PLATFORMS)) {
        const platform = await manifest(child);
        if (platform === undefined) unread.push('the repository lacks the manifest of a platform');
        else if (isUnread(platform)) unread.push(platform.why);
        else if (platform.kind === 'image') digests.push(platform.configuration);
      }
      if (image.children.length > MAX_PLATFORMS) unread.push('it has more platforms than are compared');
      const [first] = unread;
      return first === undefined
        ? { digests }
        : { digests, more: listWithin([...new Set(unread)], 300, '; ') };
    },
  };
};
