import { LRUCache } from 'lru-cache';

/** Milliseconds after which a registry that did not know the referrers API is asked again. */
const PATIENCE = 600_000;
/** Repositories remembered one by one, where a registry knows the API for others. */
const REPOSITORIES = 1_000;

/** Whether one registry has the referrers API, as its answers told. */
export interface ReferrersApi {
  /** Whether asking for this repository would be in vain. */
  isMissing(path: string): boolean;
  /** It answered with a list. */
  answered(): void;
  /** It does not know the question. */
  missing(path: string): void;
}

/**
 * What one repository learned counts for the whole registry, until one answers: some hosts stand before several
 * registries, and then each repository counts for itself.
 */
export const createReferrersApi = (now: () => number): ReferrersApi => {
  const missingSince = new LRUCache<string, number>({ max: REPOSITORIES });
  let everAnswered = false;
  let registryMissingSince: number | undefined;
  const isRecent = (since: number | undefined): boolean =>
    since !== undefined && now() >= since && now() - since < PATIENCE;
  return {
    isMissing: (path) => isRecent(everAnswered ? missingSince.get(path) : registryMissingSince),
    answered() {
      everAnswered = true;
    },
    missing(path) {
      missingSince.set(path, now());
      registryMissingSince = now();
    },
  };
};
