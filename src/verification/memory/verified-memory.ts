import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import type { ValidSignature } from '../verification.ts';
import { distinctSignatures, selectFew } from './distinct-signatures.ts';

/** Caches the valid signatures of a digest. They do not expire: each use decides whether they count. */
export interface VerifiedMemory {
  find(digest: Digest): readonly ValidSignature[];
  /**
   * Adds signatures to those already cached, without duplicates, and caches a few of them. Returns all: the new ones first,
   * and `areCached` if none was left out.
   */
  add(digest: Digest, signatures: readonly ValidSignature[]): VerifiedSignatures;
  /** The number of digests, and their estimated size. */
  size(): { readonly entries: number; readonly bytes: number };
}

export interface VerifiedSignatures {
  readonly signatures: readonly ValidSignature[];
  readonly areCached: boolean;
}

export interface VerifiedLimits {
  readonly verifiedBytes: number;
  /** The number of signatures that are cached for a digest. */
  readonly signaturesPerDigest: number;
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

export const createVerifiedMemory = ({
  verifiedBytes,
  signaturesPerDigest,
}: VerifiedLimits): VerifiedMemory => {
  const cache = new LRUCache<Digest, readonly ValidSignature[]>({
    maxSize: verifiedBytes,
    sizeCalculation: sizeOf,
  });
  const find = (digest: Digest) => cache.get(digest) ?? [];
  return {
    find,
    size: () => ({ entries: cache.size, bytes: cache.calculatedSize }),
    add(digest, added) {
      const before = find(digest);
      if (added.length === 0) return { signatures: before, areCached: true };
      const signatures = distinctSignatures([...added, ...before], (signature) => signature);
      const few = selectFew(signatures, signaturesPerDigest);
      cache.set(digest, few);
      return { signatures, areCached: few.length === signatures.length && cache.has(digest) };
    },
  };
};
