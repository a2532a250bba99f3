import { createCredentialCandidates } from '../credentials/candidates.ts';
import type { FindCredentials } from '../credentials/credentials.ts';
import type { Caller } from '../http/http-message.ts';
import type { Transport } from '../http/transport.ts';
import type { Resource } from '../registry-request.ts';
import { createHeadersToTry, type HeadersToTry } from './headers-to-try.ts';
import type { RealmOptions } from './realm.ts';
import { createSchemeMemory } from './scheme-memory.ts';
import { createTokenCache } from './token-cache.ts';

export interface AuthorizationOptions extends RealmOptions {
  readonly findCredentials: FindCredentials;
  readonly transport: Transport;
  readonly tokenBytes: number;
  readonly now: () => number;
}

export interface Authorization {
  /**
   * Yields the `Authorization` headers to try for a resource, in order; undefined: send none. Pass each `next()` the
   * registry's response to the previous header. It ends after a response that is neither 401 nor 403, or when nothing is
   * left to try; it rejects with a fault if a token service or a source of credentials failed, or a challenge cannot be met.
   */
  headersToTry(resource: Resource, caller: Caller): HeadersToTry;
}

/** Creates the authorization for one registry. What it remembers of a repository is used for that repository only. */
export const createAuthorization = (options: AuthorizationOptions): Authorization => {
  const { registry, findCredentials, now } = options;
  const tokens = createTokenCache(options);
  const candidates = createCredentialCandidates(registry, findCredentials, now);
  const schemes = createSchemeMemory(now);
  const context = { options, tokens, candidates, schemes };
  return { headersToTry: (resource, caller) => createHeadersToTry(context, resource, caller) };
};
