import { parseDigest } from '../image/index.ts';
import type { Referrer } from './source.ts';

/** The tag under which a registry without the referrers API lists them (distribution-spec 1.1, "Referrers Tag Schema"). */
export const referrersTag = (digest: string): string => digest.replace(':', '-');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const referrerOf = (descriptor: unknown): readonly Referrer[] => {
  if (!isObject(descriptor)) return [];
  const { digest: text, artifactType } = descriptor;
  const digest = typeof text === 'string' ? parseDigest(text) : undefined;
  if (digest === undefined) return [];
  return [{ digest, artifactType: typeof artifactType === 'string' ? artifactType : undefined }];
};

/** The descriptors of an image index, without those of no sha256 digest; undefined where the bytes are no index. */
export const parseReferrers = (bytes: Uint8Array): readonly Referrer[] | undefined => {
  try {
    const index: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (!isObject(index) || !Array.isArray(index['manifests'])) return undefined;
    return index['manifests'].flatMap(referrerOf);
  } catch {
    return undefined;
  }
};
