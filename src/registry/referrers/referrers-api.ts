import { LRUCache } from 'lru-cache';

/** Milliseconds after which a registry that did not know the referrers API is asked again. */
const PATIENCE = 600_000;
/** Repositories remembered one by one. */
const REPOSITORIES = 1_000;

/** Whether a registry has the referrers API, as far as its answers told and one repository of it is concerned. */
export interface ReferrersApi {
  /** Whether asking would be in vain. */
  isMissing(): boolean;
  /** It answered with a list. */
  markSupported(): void;
  /** It does not know the question. */
  markMissing(): void;
  /** It holds something in this repository, which is therefore there. */
  markRepositoryFound(): void;
}

/**
 * What one repository learned counts for the whole registry, until one answers: some hosts stand before several
 * registries, and then each repository counts for itself. Some registries say of a repository that is not there what
 * others say of the API. So it must be there to count for more than itself, or whoever may name an image could hide the
 * bundles of all others.
 */
export const createReferrersApi = (now: () => number): ((path: string) => ReferrersApi) => {
  const missingSince = new LRUCache<string, number>({ max: REPOSITORIES });
  const there = new LRUCache<string, true>({ max: REPOSITORIES });
  let everAnswered = false;
  let registryMissingSince: number | undefined;
  const isRecent = (since: number | undefined): boolean =>
    since !== undefined && now() >= since && now() - since < PATIENCE;
  const learn = (path: string): void => {
    if (there.has(path)) registryMissingSince = missingSince.get(path) ?? registryMissingSince;
  };
  return (path) => ({
    isMissing: () => isRecent(missingSince.get(path)) || (!everAnswered && isRecent(registryMissingSince)),
    markSupported() {
      everAnswered = true;
    },
    markMissing() {
      missingSince.set(path, now());
      learn(path);
    },
    markRepositoryFound() {
      there.set(path, true);
      learn(path);
    },
  });
};
