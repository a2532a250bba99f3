import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import type { TagResolution, TagTable } from '../../registry/index.ts';
import { isRecent } from './is-recent.ts';

/** Caches what tags resolved to. */
export interface TagMemory {
  /** Returns the tag's digest if this process resolved it less than `tagMemory` ago. */
  fresh(repository: string, tag: string): Digest | undefined;
  /** Returns the last resolution of the tag, however old, but none dated in the future: the clock was set back. */
  last(repository: string, tag: string): TagResolution | undefined;
  add(repository: string, tag: string, digest: Digest | undefined): void;
}

export interface TagLimits {
  readonly tagEntries: number;
}

export interface TagDependencies {
  /** Milliseconds that the digest of a tag may be cached; 0: not at all. */
  readonly tagMemory: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The last resolutions of tags, stored beyond the life of the process. */
  readonly tagTable?: Pick<TagTable, 'last' | 'add'> | undefined;
}

export const createTagMemory = (
  { tagEntries }: TagLimits,
  { tagMemory, now, tagTable }: TagDependencies,
): TagMemory => {
  const cache = new LRUCache<string, TagResolution>({ max: tagEntries });
  return {
    last: (repository, tag) =>
      [cache.get(`${repository}:${tag}`), tagTable?.last(repository, tag)].find(
        (resolution) => resolution !== undefined && resolution.at <= now(),
      ),
    fresh(repository, tag) {
      // Never from the tag table: anyone who can write there could then resolve a tag while its registry responds.
      const resolution = cache.get(`${repository}:${tag}`);
      return resolution !== undefined && isRecent(resolution.at, now(), tagMemory)
        ? resolution.digest
        : undefined;
    },
    add(repository, tag, digest) {
      const resolution = { digest, at: now() };
      cache.set(`${repository}:${tag}`, resolution);
      tagTable?.add(repository, tag, resolution);
    },
  };
};
