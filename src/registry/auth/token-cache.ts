import { LRUCache } from 'lru-cache';
import type { Credentials } from '../credentials/credentials.ts';
import type { Caller } from '../http/http-message.ts';
import type { Transport } from '../http/transport.ts';
import { fetchToken, type Token } from './fetch-token.ts';
import { keyOfRealm, type TokenRealm } from './realm.ts';
import { createSharedFetch, type SharedFetch } from './shared-fetch.ts';

export interface TokenCacheOptions {
  readonly registry: string;
  readonly transport: Transport;
  readonly tokenBytes: number;
  readonly now: () => number;
}

export interface TokenRequest {
  readonly realm: TokenRealm;
  readonly credentials: Credentials | undefined;
  /** Equal for equal credentials. */
  readonly fingerprint: string;
}

/** A token, with the fingerprint of the credentials that it was fetched with. */
export interface CachedToken extends Token {
  readonly fingerprint: string;
}

/** The tokens of one registry, one for each repository. Concurrent requests for the same token share one fetch. */
export interface TokenCache {
  /** Returns the token of a repository if it has not expired. */
  find(path: string): CachedToken | undefined;
  /** Returns the cached token for these credentials, or fetches one. Rejects with a `SourceFault`. */
  get(path: string, request: TokenRequest, caller: Caller): Promise<string>;
  /** Removes a token that was refused, unless another has replaced it. */
  remove(path: string, refused: string): void;
}

/** Bounds memory: anyone who can create pods can name any number of repositories below a hub. */
const MAX_TOKENS = 1000;

/** The scope is pull only: a verifier that could push would be worth attacking. */
const scopeOf = (path: string): string => `repository:${path}:pull`;

export const createTokenCache = ({ registry, transport, tokenBytes, now }: TokenCacheOptions): TokenCache => {
  const tokens = new LRUCache<string, CachedToken>({ max: MAX_TOKENS });
  const inFlight = new Map<string, SharedFetch<string>>();

  const fetch = async (path: string, request: TokenRequest, caller: Caller): Promise<string> => {
    const { realm, credentials, fingerprint } = request;
    const options = { realm, scope: scopeOf(path), credentials, limit: tokenBytes, registry, now };
    const token = await fetchToken(transport, options, caller);
    tokens.set(path, { ...token, fingerprint });
    return token.value;
  };

  const start = (key: string, path: string, request: TokenRequest, { onRequest }: Caller) => {
    const shared = createSharedFetch(
      (callers) => fetch(path, request, { ...callers, onRequest }),
      () => inFlight.delete(key),
    );
    inFlight.set(key, shared);
    return shared;
  };

  const find = (path: string): CachedToken | undefined => {
    const token = tokens.get(path);
    return token !== undefined && now() < token.expires ? token : undefined;
  };

  return {
    find,
    async get(path, request, caller) {
      const cached = find(path);
      if (cached?.fingerprint === request.fingerprint) return cached.value;
      const key = `${path} ${request.fingerprint} ${keyOfRealm(request.realm)}`;
      return (inFlight.get(key) ?? start(key, path, request, caller)).join(caller);
    },
    remove(path, refused) {
      if (tokens.get(path)?.value === refused) tokens.delete(path);
    },
  };
};
