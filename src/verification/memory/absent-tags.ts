import { LRUCache } from 'lru-cache';
import { isRecent } from './is-recent.ts';
import type { RejectedLimits } from './rejected-memory.ts';

/**
 * Caches for a while that a tag does not exist, for the namespace that asked for it: a tag that another namespace asked for
 * too early is there for everyone else as soon as it is pushed.
 */
export interface AbsentTags {
  has(requester: string | undefined, repository: string, tag: string): boolean;
  add(requester: string | undefined, repository: string, tag: string): void;
}

export const createAbsentTags = (
  { rejectedMemory, rejectedEntries }: RejectedLimits,
  now: () => number,
): AbsentTags => {
  const cache = new LRUCache<string, number>({ max: rejectedEntries });
  const keyOf = (requester: string, repository: string, tag: string): string =>
    `${requester}\n${repository}:${tag}`;
  return {
    has(requester, repository, tag) {
      const at = requester === undefined ? undefined : cache.get(keyOf(requester, repository, tag));
      return at !== undefined && isRecent(at, now(), rejectedMemory);
    },
    add(requester, repository, tag) {
      if (requester !== undefined) cache.set(keyOf(requester, repository, tag), now());
    },
  };
};
