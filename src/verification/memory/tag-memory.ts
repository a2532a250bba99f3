import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import {
  createTagRows,
  datedResolution,
  laterResolution,
  type TagResolution,
  type TagTable,
} from '../../registry/index.ts';
import { isRecent } from './is-recent.ts';

/**
 * Caches what tags resolved to. Tags that resolved to a verified digest are kept apart from all others, and beyond the
 * life of the process: no other tag pushes them out. A digest that is not verified is cached for the namespace that asked:
 * once the tag stands for another one, it does for everyone else.
 */
export interface TagMemory {
  /** Returns the tag's digest if this process resolved it less than `tagMemory` ago, and it is verified or the requester's. */
  fresh(requester: string | undefined, repository: string, tag: string): Digest | undefined;
  /**
   * Returns the last resolution of the tag, however old. One that is dated in the future, because the clock was set back,
   * has an unknown age.
   */
  last(repository: string, tag: string): TagResolution | undefined;
  /** Adds what the registry resolved a tag to; undefined if there is no such tag. */
  add(requester: string | undefined, repository: string, tag: string, digest: Digest | undefined): void;
  /** Keeps the tag: the digest that it resolved to was verified. */
  confirm(repository: string, tag: string, digest: Digest): void;
  /** The numbers of tags: of verified digests, and others. */
  size(): { readonly verified: number; readonly others: number };
}

export interface TagLimits {
  readonly tagEntries: number;
  /** The number of other tags that are cached. */
  readonly rejectedEntries: number;
}

export interface TagDependencies {
  /** Milliseconds that the digest of a tag may be cached; 0: not at all. */
  readonly tagMemory: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The last resolutions of tags, stored beyond the life of the process. */
  readonly tagTable?: Pick<TagTable, 'last' | 'add' | 'update'> | undefined;
}

/** A resolution by this process. */
interface OwnResolution extends TagResolution {
  /** The namespace that alone may use it; undefined: everyone may. */
  readonly onlyFor?: string | undefined;
}

export const createTagMemory = (
  { tagEntries, rejectedEntries }: TagLimits,
  { tagMemory, now, tagTable }: TagDependencies,
): TagMemory => {
  const verified = createTagRows<OwnResolution>(tagEntries);
  const others = new LRUCache<string, OwnResolution>({ max: rejectedEntries });
  const find = (repository: string, tag: string): OwnResolution | undefined =>
    verified.get(repository, tag) ?? others.get(`${repository}:${tag}`);

  return {
    last(repository, tag) {
      const [own, stored] = [find(repository, tag), tagTable?.last(repository, tag)];
      return laterResolution(own && datedResolution(own, now()), stored && datedResolution(stored, now()));
    },
    fresh(requester, repository, tag) {
      // Never from the tag table: anyone who can write there could then resolve a tag while its registry responds.
      const resolution = find(repository, tag);
      if (resolution === undefined || !isRecent(resolution.at, now(), tagMemory)) return undefined;
      const { onlyFor, digest } = resolution;
      return onlyFor === undefined || onlyFor === requester ? digest : undefined;
    },
    add(requester, repository, tag, digest) {
      const before = verified.get(repository, tag);
      const isVerified = before !== undefined && before.digest === digest && before.onlyFor === undefined;
      const resolution = { digest, at: now() };
      const own = { ...resolution, onlyFor: isVerified ? undefined : requester };
      // A tag that has moved to what is not verified has nothing to fall back on.
      if (before !== undefined) verified.set(repository, tag, own);
      // Absent tags push out no tag whose digest is being verified: anyone can name them.
      else if (digest === undefined) others.delete(`${repository}:${tag}`);
      else others.set(`${repository}:${tag}`, own);
      tagTable?.update(repository, tag, resolution);
    },
    confirm(repository, tag, digest) {
      // Called for every image that is recalled by tag: most have been confirmed before.
      const known = verified.get(repository, tag);
      if (known?.digest === digest && known.onlyFor === undefined) return;
      const resolution = find(repository, tag);
      if (resolution?.digest !== digest) return;
      const confirmed = { digest, at: resolution.at };
      others.delete(`${repository}:${tag}`);
      verified.set(repository, tag, confirmed);
      tagTable?.add(repository, tag, confirmed);
    },
    size: () => ({ verified: verified.size(), others: others.size }),
  };
};
