import { turnToParse } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import type { Manifest, Source } from '../../registry/index.ts';
import { type ImageStart, type StartProof, UNKNOWN_START } from './image-start.ts';
import { type ImageManifest, parseImageManifest, parseStart } from './parse-image.ts';

/** The children of an index that are tried: a mirror may hold the images of some platforms only. */
const MAX_CHILDREN = 4;

/** Bounds what is read and parsed of an image that perhaps no key signed: many times what those of Istio have. */
const MAX_DOCUMENT_BYTES = 1024 * 1024;

/** The start of an image, and the bytes that prove it. */
export interface ReadStart {
  readonly start: ImageStart;
  readonly proof: StartProof;
}

const parseInTurn = async <T>(parse: (bytes: Uint8Array) => T, bytes: Uint8Array): Promise<T> => {
  await turnToParse(bytes);
  return parse(bytes);
};

/** Reads the manifest of the first child that the source holds. */
const readChild = async (
  source: Source,
  children: readonly Digest[],
  signal: AbortSignal,
): Promise<Manifest | undefined> => {
  for (const digest of children.slice(0, MAX_CHILDREN)) {
    const manifest = await source.manifest({ digest }, signal, MAX_DOCUMENT_BYTES);
    if (manifest !== undefined) return manifest;
  }
  return undefined;
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
  const manifest = await source.manifest({ digest }, signal, MAX_DOCUMENT_BYTES);
  if (manifest === undefined) return undefined;
  const image = await parseInTurn(parseImageManifest, manifest.bytes);
  if (image.kind !== 'index')
    return readConfiguration(source, { manifest, platform: image, blobs: [] }, signal);
  if (image.children.length === 0) return { start: UNKNOWN_START, proof: { manifest, blobs: [] } };
  const child = await readChild(source, image.children, signal);
  if (child === undefined) return undefined;
  const platform = await parseInTurn(parseImageManifest, child.bytes);
  return readConfiguration(source, { manifest, platform, blobs: [child.bytes] }, signal);
};

/** `platform`: the manifest of one platform, parsed; an index here is one within an index. */
const readConfiguration = async (
  source: Source,
  { manifest, platform, blobs }: StartProof & { readonly platform: ImageManifest },
  signal: AbortSignal,
): Promise<ReadStart | undefined> => {
  if (platform.kind !== 'image') return { start: UNKNOWN_START, proof: { manifest, blobs } };
  const configuration = await source.blob(platform.configuration, signal, MAX_DOCUMENT_BYTES);
  if (configuration === undefined) return undefined;
  const start = await parseInTurn(parseStart, configuration);
  return { start, proof: { manifest, blobs: [...blobs, configuration] } };
};
