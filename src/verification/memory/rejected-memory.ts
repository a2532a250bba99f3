import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import type { RejectionReason } from '../verification.ts';
import { isRecent } from './is-recent.ts';

/** The result of reading a source for a digest, as far as it is true for every use of that digest. */
export interface ReadRecord {
  /** Why other candidates of the source do not count; undefined if all of them are valid. */
  readonly failure: RejectionReason | undefined;
  /** The number of valid signatures that were in memory after the read, from this source or others. */
  readonly valid: number;
}

/**
 * Caches for a while that a source has no more valid signatures for a digest than memory holds, for the namespace that asked
 * for it: an image that another namespace asked for too early is verified for everyone else as soon as it is signed.
 */
export interface RejectedMemory {
  find(requester: string | undefined, source: string, digest: Digest): ReadRecord | undefined;
  add(requester: string | undefined, source: string, digest: Digest, record: ReadRecord): void;
  size(): number;
}

export interface RejectedLimits {
  /** The time an entry is cached, in milliseconds. */
  readonly rejectedMemory: number;
  readonly rejectedEntries: number;
}

export const createRejectedMemory = (
  { rejectedMemory, rejectedEntries }: RejectedLimits,
  now: () => number,
): RejectedMemory => {
  const cache = new LRUCache<string, { readonly record: ReadRecord; readonly at: number }>({
    max: rejectedEntries,
  });
  const keyOf = (requester = '', source: string, digest: Digest): string =>
    `${requester}\n${source}@${digest}`;
  return {
    find(requester, source, digest) {
      const entry = cache.get(keyOf(requester, source, digest));
      return entry !== undefined && isRecent(entry.at, now(), rejectedMemory) ? entry.record : undefined;
    },
    add: (requester, source, digest, record) =>
      void cache.set(keyOf(requester, source, digest), { record, at: now() }),
    size: () => cache.size,
  };
};
