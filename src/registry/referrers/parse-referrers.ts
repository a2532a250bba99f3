import { isJsonObject } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { parseIndexDescriptors } from '../image-index.ts';
import { MAX_TYPE_LENGTH } from '../media-types.ts';
import type { Manifest, Referrer } from '../source.ts';

/** Returns the fallback tag of registries without the referrers API (distribution-spec 1.1, "Referrers Tag Schema"). */
export const referrersTag = (digest: string): string => digest.replace(':', '-');

const isMediaType = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_TYPE_LENGTH;

const referrerOf = (descriptor: unknown): readonly Referrer[] => {
  if (!isJsonObject(descriptor)) return [];
  const { digest: text, artifactType } = descriptor;
  const digest = typeof text === 'string' ? parseDigest(text) : undefined;
  if (digest === undefined) return [];
  return [{ digest, artifactType: isMediaType(artifactType) ? artifactType : undefined }];
};

/** Parses the descriptors of an image index, except those without a sha256 digest; undefined if it is not an index. */
export const parseReferrers = (bytes: Uint8Array): readonly Referrer[] | undefined =>
  parseIndexDescriptors(bytes)?.flatMap(referrerOf);

/**
 * Returns the referrers that the fallback tag of an image lists: none if no index stands there, or the image itself, to which
 * GitLab resolves that tag (distribution-spec 1.1, "Referrers Tag Schema").
 */
export const referrersUnderTag = (manifest: Manifest, image: Digest): readonly Referrer[] =>
  manifest.digest === image ? [] : (parseReferrers(manifest.bytes) ?? []);

/** Returns the digests that an image index lists; undefined if the bytes are not an index. */
export const childrenOf = (bytes: Uint8Array): readonly Digest[] | undefined =>
  parseReferrers(bytes)?.map(({ digest }) => digest);
