import { LRUCache } from 'lru-cache';

/** The interval between requests for the referrers API to a registry that does not support it. */
const RETRY_INTERVAL_MS = 600_000;
/** Bounds memory: anyone who can create pods can name any number of repositories below a hub. */
const MAX_REPOSITORIES = 1_000;

/** The support of a registry for the referrers API, as observed through one repository. */
export interface ReferrersApi {
  /** True if a request would be in vain. */
  isMissing(): boolean;
  /** Records that the registry responded with a list. */
  markSupported(): void;
  /** Records that the registry does not support the API. */
  markMissing(): void;
  /** Records that the registry holds something in this repository, so the repository exists. */
  markRepositoryFound(): void;
}

/**
 * An observation through one repository counts for the whole registry until a repository responds with a list: some hosts
 * front several registries, and then each repository counts for itself. Some registries respond to an unknown repository
 * as others do to an unsupported API. So a repository must exist to count for more than itself; otherwise anyone who can
 * name an image could hide the bundles of all others.
 */
export const createReferrersApi = (now: () => number): ((path: string) => ReferrersApi) => {
  const missingSince = new LRUCache<string, number>({ max: MAX_REPOSITORIES });
  const existing = new LRUCache<string, true>({ max: MAX_REPOSITORIES });
  let isSupported = false;
  let registryMissingSince: number | undefined;
  const isRecent = (since: number | undefined): boolean =>
    since !== undefined && now() >= since && now() - since < RETRY_INTERVAL_MS;
  const updateRegistry = (path: string): void => {
    if (existing.has(path)) registryMissingSince = missingSince.get(path) ?? registryMissingSince;
  };
  return (path) => ({
    isMissing: () => isRecent(missingSince.get(path)) || (!isSupported && isRecent(registryMissingSince)),
    markSupported() {
      isSupported = true;
    },
    markMissing() {
      missingSince.set(path, now());
      updateRegistry(path);
    },
    markRepositoryFound() {
      existing.set(path, true);
      updateRegistry(path);
    },
  });
};
