import type { Digest } from '../../image/index.ts';
import type { ImageManifest } from '../../verification/index.ts';
import { type ImageContent, isUnread } from './image-content.ts';
import type { ImageId } from './image-id.ts';

export type Comparison =
  | { readonly status: 'same' }
  | { readonly status: 'drifted' }
  | { readonly status: 'unknown'; readonly message: string };

const SAME: Comparison = { status: 'same' };
const DRIFTED: Comparison = { status: 'drifted' };
const unknown = (message: string): Comparison => ({ status: 'unknown', message });

/** True if the running digest is that of an index which lists the verified manifest. */
const isIndexOf = async (
  running: Digest,
  verified: Digest,
  content: ImageContent,
): Promise<boolean | string> => {
  const index = await content.manifest(running);
  // A digest that the repository lacks is no index of it. No other repository is asked: a status may name any host.
  if (index === undefined) return false;
  if (isUnread(index)) return index.why;
  return index.kind === 'index' && index.children.includes(verified);
};

/** Compares an ID that may be of a configuration; undefined: it is of none, and may be of a manifest. */
const compareConfiguration = async (
  { kind, digest }: ImageId,
  image: ImageManifest,
  content: ImageContent,
): Promise<Comparison | undefined> => {
  if (kind === 'manifest') return undefined;
  const { digests, more } = await content.configurations(image);
  if (digests.includes(digest)) return SAME;
  if (more !== undefined) return unknown(`not every configuration of it could be read: ${more}`);
  return kind === 'stored'
    ? unknown(
        'the image ID is that of the node’s storage, which is the digest of no configuration if the image was pulled in parts',
      )
    : undefined;
};

/**
 * Compares what a node runs to the digest that is verified now. The manifest of a platform of the verified index is the same,
 * and so is the index of the verified manifest; a configuration is compared to those of the verified manifests. Only what is
 * needed is read, of the repository of the image alone. An ID that the runtime made itself is never drift: it can be another
 * one for the same image.
 */
export const compareRunning = async (
  running: ImageId,
  verified: Digest,
  content: ImageContent,
): Promise<Comparison> => {
  if (running.digest === verified) return SAME;
  const image = await content.manifest(verified);
  if (image === undefined) return unknown('the repository lacks the manifest that is verified');
  if (isUnread(image)) return unknown(`the verified manifest could not be read: ${image.why}`);
  if (image.kind === 'index' && image.children.includes(running.digest)) return SAME;
  const byConfiguration = await compareConfiguration(running, image, content);
  if (byConfiguration !== undefined) return byConfiguration;
  if (image.kind !== 'image') return DRIFTED;
  const isIndex = await isIndexOf(running.digest, verified, content);
  if (typeof isIndex === 'string') return unknown(`the running manifest could not be read: ${isIndex}`);
  return isIndex ? SAME : DRIFTED;
};
