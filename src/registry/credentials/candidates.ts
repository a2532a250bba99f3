import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Credentials, FindCredentials } from './credentials.ts';

/** Credentials to try for a repository; undefined: none, the request is anonymous. */
export interface CredentialCandidate {
  readonly credentials: Credentials | undefined;
  /** Equal for equal credentials. */
  readonly fingerprint: string;
}

export interface CredentialCandidates {
  /**
   * Yields the credentials to try for a repository, each once. Credentials that were recently refused come last, so that a
   * wrong password is not sent with every request. Rejects with a `SourceFault` if a source of credentials failed.
   */
  inOrder(path: string): AsyncGenerator<CredentialCandidate, void>;
  markRefused(path: string, fingerprint: string): void;
}

/** The time that refused credentials come last. */
const REFUSAL_MS = 300_000;
/** Bounds memory: anyone who can create pods can name any number of repositories below a hub. */
const MAX_REFUSALS = 1000;

const fingerprintOf = (credentials: Credentials | undefined): string =>
  createHash('sha256')
    .update(JSON.stringify(credentials ?? null))
    .digest('base64');

/** The fingerprint of an anonymous request. */
export const ANONYMOUS = fingerprintOf(undefined);

/** Orders the credentials for the repositories of one registry. */
export const createCredentialCandidates = (
  registry: string,
  findCredentials: FindCredentials,
  now: () => number,
): CredentialCandidates => {
  const refusedUntil = new LRUCache<string, number>({ max: MAX_REFUSALS });

  /** Yields each of the credentials once, except those recently refused, which are added to `refused`. */
  async function* notRefused(
    path: string,
    refused: CredentialCandidate[],
  ): AsyncGenerator<CredentialCandidate, void> {
    const seen = new Set<string>();
    for await (const credentials of findCredentials(`${registry}/${path}`)) {
      const candidate = { credentials, fingerprint: fingerprintOf(credentials) };
      if (seen.has(candidate.fingerprint)) continue;
      seen.add(candidate.fingerprint);
      if (now() < (refusedUntil.get(`${path} ${candidate.fingerprint}`) ?? 0)) refused.push(candidate);
      else yield candidate;
    }
    if (seen.size === 0) yield { credentials: undefined, fingerprint: ANONYMOUS };
  }

  return {
    async *inOrder(path) {
      const refused: CredentialCandidate[] = [];
      let fault: unknown;
      try {
        yield* notRefused(path, refused);
      } catch (error) {
        fault = error;
      }
      yield* refused;
      if (fault !== undefined) throw fault;
    },
    markRefused: (path, fingerprint) => void refusedUntil.set(`${path} ${fingerprint}`, now() + REFUSAL_MS),
  };
};
