import { isDeepStrictEqual } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import type { ValidSignature } from '../verification.ts';

/** Caches the valid signatures of a digest. They do not expire: each use decides whether they count. */
export interface VerifiedMemory {
  find(digest: Digest): readonly ValidSignature[];
  /** Adds signatures before those already cached, without duplicates, and returns them all. */
  add(digest: Digest, signatures: readonly ValidSignature[]): readonly ValidSignature[];
}

export interface VerifiedLimits {
  readonly verifiedBytes: number;
}

/** The estimated size of an entry, and of each signature in it, without its texts. */
const OVERHEAD_BYTES = 300;

const sizeOf = (signatures: readonly ValidSignature[]): number =>
  signatures.reduce(
    (sum, { payload, logBundle, signedReference }) =>
      // JavaScript stores a character in up to two bytes.
      sum + 2 * (payload.length + (logBundle?.length ?? 0) + (signedReference?.length ?? 0)) + OVERHEAD_BYTES,
    OVERHEAD_BYTES,
  );

const isSame = (a: ValidSignature, b: ValidSignature): boolean =>
  a.keyId === b.keyId &&
  a.payload === b.payload &&
  a.logBundle === b.logBundle &&
  isDeepStrictEqual(a.logged, b.logged);

const withoutDuplicates = (signatures: readonly ValidSignature[]): readonly ValidSignature[] =>
  signatures.filter(
    (signature, index) => signatures.findIndex((earlier) => isSame(earlier, signature)) === index,
  );

export const createVerifiedMemory = ({ verifiedBytes }: VerifiedLimits): VerifiedMemory => {
  const cache = new LRUCache<Digest, readonly ValidSignature[]>({
    maxSize: verifiedBytes,
    sizeCalculation: sizeOf,
  });
  const find = (digest: Digest) => cache.get(digest) ?? [];
  return {
    find,
    add(digest, signatures) {
      if (signatures.length === 0) return find(digest);
      const all = withoutDuplicates([...signatures, ...find(digest)]);
      cache.set(digest, all);
      return all;
    },
  };
};
