import { LRUCache } from 'lru-cache';
import { digestOf } from '../../image/index.ts';
import type { ValidSignature } from '../verification.ts';
import { distinctSignatures, identityOf, isProven, selectFew } from './distinct-signatures.ts';

const MAX_SIGNATURES = 10_000;

/** The signatures whose proofs were handed on to be stored. */
export interface StoredProofs {
  /**
   * Returns what is left to store: one proof of each signature, of a few of them, and none of those that memory held when
   * their proofs were stored. A repository may serve the same signature in another manifest each time it is read.
   */
  select<T extends { readonly signature: ValidSignature }>(
    valid: readonly T[],
    known: readonly ValidSignature[],
  ): readonly T[];
  add(signatures: readonly { readonly signature: ValidSignature }[]): void;
}

const keyOf = (signature: ValidSignature): string =>
  `${digestOf(identityOf(signature))} ${isProven(signature)}`;

export const createStoredProofs = ({
  signaturesPerDigest,
}: {
  readonly signaturesPerDigest: number;
}): StoredProofs => {
  const stored = new LRUCache<string, true>({ max: MAX_SIGNATURES });
  return {
    select(valid, known) {
      const held = new Set(known.map(keyOf).filter((key) => stored.has(key)));
      const distinct = distinctSignatures(valid, ({ signature }) => signature);
      const few = new Set(
        selectFew(
          distinct.map(({ signature }) => signature),
          signaturesPerDigest,
        ),
      );
      return distinct.filter(({ signature }) => few.has(signature) && !held.has(keyOf(signature)));
    },
    add(signatures) {
      for (const { signature } of signatures) stored.set(keyOf(signature), true);
    },
  };
};
