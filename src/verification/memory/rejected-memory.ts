import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import type { RejectionReason } from '../verification.ts';
import { isRecent } from './is-recent.ts';

/** Caches for a while why a source has no valid signature for a digest. */
export interface RejectedMemory {
  find(source: string, digest: Digest): RejectionReason | undefined;
  add(source: string, digest: Digest, reason: RejectionReason): void;
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
  const cache = new LRUCache<string, { readonly reason: RejectionReason; readonly at: number }>({
    max: rejectedEntries,
  });
  return {
    find(source, digest) {
      const entry = cache.get(`${source}@${digest}`);
      return entry !== undefined && isRecent(entry.at, now(), rejectedMemory) ? entry.reason : undefined;
    },
    add: (source, digest, reason) => void cache.set(`${source}@${digest}`, { reason, at: now() }),
  };
};
