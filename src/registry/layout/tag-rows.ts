import type { Digest } from '../../image/index.ts';

/** The last resolution of a tag by its registry. */
export interface TagResolution {
  /** Undefined: the tag did not exist. */
  readonly digest: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface TagRow<R extends TagResolution = TagResolution> {
  readonly repository: string;
  readonly tag: string;
  readonly resolution: R;
}

/** The resolutions of a bounded number of tags. */
export interface TagRows<R extends TagResolution = TagResolution> {
  get(repository: string, tag: string): R | undefined;
  set(repository: string, tag: string, resolution: R): void;
  /** Returns every row; of each repository, the row that was set first comes first. */
  rows(): readonly TagRow<R>[];
  size(): number;
}

/** Replicas' clocks differ; a resolution dated this much ahead, in milliseconds, counts as made now. */
export const CLOCK_SKEW_MS = 30_000;

/** The time of a resolution whose age is unknown: it is past every window, however long. */
export const UNKNOWN_TIME = Number.MIN_SAFE_INTEGER;

/**
 * Returns a resolution with a time that is not in the future. One that was dated further ahead than clocks differ has an
 * unknown age: only the list of revoked digests may still use it.
 */
export const datedResolution = (resolution: TagResolution, now: number): TagResolution =>
  resolution.at <= now
    ? resolution
    : { digest: resolution.digest, at: resolution.at <= now + CLOCK_SKEW_MS ? now : UNKNOWN_TIME };

/** Returns the later of two resolutions of one tag; the first if they were made at the same time. */
export const laterResolution = (
  one: TagResolution | undefined,
  other: TagResolution | undefined,
): TagResolution | undefined =>
  one === undefined || (other !== undefined && other.at > one.at) ? other : one;

/**
 * Creates rows for at most `maxTags` tags. Past that, the repository with the most tags loses the one that was set the
 * longest time ago: whoever can push many tags to a repository pushes out none of another with fewer. Of several with as
 * many, it is the one that nothing was set in for the longest time.
 */
export const createTagRows = <R extends TagResolution = TagResolution>(maxTags: number): TagRows<R> => {
  const repositories = new Map<string, Map<string, R>>();
  let size = 0;

  const removeOne = (): void => {
    let [largest, most] = ['', new Map<string, R>()];
    for (const [repository, tags] of repositories)
      if (tags.size > most.size) [largest, most] = [repository, tags];
    const [oldest] = most.keys();
    if (oldest === undefined) return;
    most.delete(oldest);
    if (most.size === 0) repositories.delete(largest);
    size -= 1;
  };

  return {
    size: () => size,
    get: (repository, tag) => repositories.get(repository)?.get(tag),
    set(repository, tag, resolution) {
      const tags = repositories.get(repository) ?? new Map<string, R>();
      repositories.delete(repository);
      repositories.set(repository, tags);
      if (!tags.delete(tag)) size += 1;
      tags.set(tag, resolution);
      if (size > maxTags) removeOne();
    },
    rows: () =>
      [...repositories].flatMap(([repository, tags]) =>
        [...tags].map(([tag, resolution]) => ({ repository, tag, resolution })),
      ),
  };
};
