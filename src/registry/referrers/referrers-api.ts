import { LRUCache } from 'lru-cache';

/** The interval between requests for the referrers API to a repository that does not support it. */
const RETRY_INTERVAL_MS = 600_000;
/** Bounds memory. Who fills the tables makes us send one request more, and nothing else. */
const MAX_REPOSITORIES = 1_000;

/** The support of one repository for the referrers API. */
export interface ReferrersApi {
  /** True if a request would be in vain. */
  isMissing(): boolean;
  /** Records that the repository responded with a list. */
  markSupported(): void;
  /** Records that the repository does not support the API. */
  markMissing(): void;
}

/**
 * Each repository counts for itself: one host may front several registries, and what one repository responds must not hide
 * the bundles of another. One that has listed referrers once is asked always: a later response that looks unsupported is
 * about one digest, which anyone can name.
 */
export const createReferrersApi = (now: () => number): ((path: string) => ReferrersApi) => {
  const missingSince = new LRUCache<string, number>({ max: MAX_REPOSITORIES });
  const supporting = new LRUCache<string, true>({ max: MAX_REPOSITORIES });
  const isRecent = (since: number | undefined): boolean =>
    since !== undefined && now() >= since && now() - since < RETRY_INTERVAL_MS;
  return (path) => ({
    isMissing: () => isRecent(missingSince.get(path)),
    markSupported() {
      supporting.set(path, true);
      missingSince.delete(path);
    },
    markMissing() {
      if (!supporting.has(path)) missingSince.set(path, now());
    },
  });
};
