import { isJsonObject } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { parseIndexDescriptors } from '../image-index.ts';
import type { Referrer } from '../source.ts';

/** The tag under which a registry without the referrers API lists them (distribution-spec 1.1, "Referrers Tag Schema"). */
export const referrersTag = (digest: string): string => digest.replace(':', '-');

const referrerOf = (descriptor: unknown): readonly Referrer[] => {
  if (!isJsonObject(descriptor)) return [];
  const { digest: text, artifactType } = descriptor;
  const digest = typeof text === 'string' ? parseDigest(text) : undefined;
  if (digest === undefined) return [];
  return [{ digest, artifactType: typeof artifactType === 'string' ? artifactType : undefined }];
};

/** The descriptors of an image index, without those of no sha256 digest; undefined where the bytes are no index. */
export const parseReferrers = (bytes: Uint8Array): readonly Referrer[] | undefined =>
  parseIndexDescriptors(bytes)?.flatMap(referrerOf);

/** The digests that an image index lists; undefined where the bytes are no index. */
export const childrenOf = (bytes: Uint8Array): readonly Digest[] | undefined =>
  parseReferrers(bytes)?.map(({ digest }) => digest);
