import type { Digest } from '../../image/index.ts';
import type { Manifest, Source } from '../../registry/index.ts';
import { type ImageStart, type StartProof, UNKNOWN_START } from './image-start.ts';
import { type ImageManifest, parseImageManifest, parseStart } from './parse-image.ts';

/** The children of an index that are tried: a mirror may hold the images of some platforms only. */
const MAX_CHILDREN = 4;

/** The start of an image, and the bytes that prove it. */
export interface ReadStart {
  readonly start: ImageStart;
  readonly proof: StartProof;
}

/** Reads the manifest of the first child that the source holds. */
const readChild = async (
  source: Source,
  children: readonly Digest[],
  signal: AbortSignal,
): Promise<Manifest | undefined> => {
  for (const digest of children.slice(0, MAX_CHILDREN)) {
    const manifest = await source.manifest({ digest }, signal);
    if (manifest !== undefined) return manifest;
  }
  return undefined;
};

const readConfiguration = async (
  source: Source,
  image: ImageManifest,
  manifests: readonly [own: Manifest, ...others: Manifest[]],
  signal: AbortSignal,
): Promise<ReadStart | undefined> => {
  const [manifest, ...others] = manifests;
  const blobs = others.map(({ bytes }) => bytes);
  if (image.kind !== 'image') return { start: UNKNOWN_START, proof: { manifest, blobs } };
  const configuration = await source.blob(image.configuration, signal);
  return (
    configuration && {
      start: parseStart(configuration),
      proof: { manifest, blobs: [...blobs, configuration] },
    }
  );
};

/**
 * Reads what an image starts: its manifest, or its index and one child of it, then the configuration. Every step is bound
 * to the one before by its digest. Returns undefined if the source lacks one of them. Rejects with a `SourceFault` if it
 * cannot be read.
 */
export const readStart = async (
  source: Source,
  digest: Digest,
  signal: AbortSignal,
): Promise<ReadStart | undefined> => {
  const manifest = await source.manifest({ digest }, signal);
  if (manifest === undefined) return undefined;
  const image = parseImageManifest(manifest.bytes);
  if (image.kind !== 'index' || image.children.length === 0)
    return readConfiguration(source, image, [manifest], signal);
  const child = await readChild(source, image.children, signal);
  return child && readConfiguration(source, parseImageManifest(child.bytes), [manifest, child], signal);
};
