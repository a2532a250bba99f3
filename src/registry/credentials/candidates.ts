import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Credentials, FindCredentials } from './credentials.ts';

/** Credentials to be tried for a repository; undefined: none, anonymously. */
export interface CredentialCandidate {
  readonly credentials: Credentials | undefined;
  /** Stands for the credentials: equal for equal ones. */
  readonly fingerprint: string;
}

export interface CredentialCandidates {
  /**
   * What is to be tried for a repository, each once and in order; what was refused lately comes last, so that a wrong
   * password is not sent with every question. Rejects with a `SourceFault` where a place that may hold more cannot tell.
   */
  inOrder(path: string): AsyncGenerator<CredentialCandidate, void>;
  /** Remembers that these were refused. */
  markRefused(path: string, fingerprint: string): void;
}

/** Milliseconds that a refusal moves credentials to the end. */
const REFUSED = 300_000;
const MOST_REFUSALS = 1000;

const fingerprintOf = (credentials: Credentials | undefined): string =>
  createHash('sha256')
    .update(JSON.stringify(credentials ?? null))
    .digest('base64');

/** Orders the credentials for the repositories of one registry. */
export const createCredentialCandidates = (
  registry: string,
  findCredentials: FindCredentials,
  now: () => number,
): CredentialCandidates => {
  const refusals = new LRUCache<string, number>({ max: MOST_REFUSALS });

  /** The credentials that were found, each once; those that were refused lately are put aside. */
  async function* inOrder(
    path: string,
    aside: CredentialCandidate[],
  ): AsyncGenerator<CredentialCandidate, void> {
    const seen = new Set<string>();
    for await (const credentials of findCredentials(`${registry}/${path}`)) {
      const candidate = { credentials, fingerprint: fingerprintOf(credentials) };
      if (seen.has(candidate.fingerprint)) continue;
      seen.add(candidate.fingerprint);
      if (now() < (refusals.get(`${path} ${candidate.fingerprint}`) ?? 0)) aside.push(candidate);
      else yield candidate;
    }
    if (seen.size === 0) yield { credentials: undefined, fingerprint: fingerprintOf(undefined) };
  }

  return {
    async *inOrder(path) {
      const aside: CredentialCandidate[] = [];
      let fault: unknown;
      try {
        yield* inOrder(path, aside);
      } catch (error) {
        fault = error;
      }
      yield* aside;
      if (fault !== undefined) throw fault;
    },
    markRefused: (path, fingerprint) => void refusals.set(`${path} ${fingerprint}`, now() + REFUSED),
  };
};
