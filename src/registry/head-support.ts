import { LRUCache } from 'lru-cache';

/** Bounds memory. Who fills the table makes us send one request more for an absent tag, and nothing else. */
const MAX_REPOSITORIES = 1_000;

/**
 * The support of one repository for HEAD. Some registries respond 404 to every HEAD, so that an absence is believed only where
 * a tag was found so; each repository counts for itself, because one host may front several registries.
 */
export interface HeadSupport {
  /** True if a HEAD once named the digest of a tag. */
  isProven(): boolean;
  markProven(): void;
}

/** Creates the memory of a host's repositories, by path. */
export const createHeadSupport = (): ((path: string) => HeadSupport) => {
  const proven = new LRUCache<string, true>({ max: MAX_REPOSITORIES });
  return (path) => ({
    isProven: () => proven.has(path),
    markProven: () => void proven.set(path, true),
  });
};
