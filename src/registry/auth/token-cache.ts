import { LRUCache } from 'lru-cache';
import type { Credentials } from '../credentials/credentials.ts';
import type { Caller } from '../http/http-message.ts';
import type { Transport } from '../http/transport.ts';
import { type BearerScheme, keyOfScheme } from './auth-scheme.ts';
import { fetchToken, type Token } from './fetch-token.ts';
import { createSharedFetch, type SharedFetch } from './shared-fetch.ts';

export interface TokenCacheOptions {
  readonly registry: string;
  readonly transport: Transport;
  readonly tokenBytes: number;
  readonly now: () => number;
}

export interface TokenRequest {
  readonly scheme: BearerScheme;
  readonly credentials: Credentials | undefined;
  /** Equal for equal credentials. */
  readonly fingerprint: string;
}

/** A token, with the scheme and the fingerprint of the credentials that it was fetched with. */
export interface CachedToken extends Token {
  readonly fingerprint: string;
  /** Equal for the same token service and scopes. */
  readonly scheme: string;
}

/**
 * The tokens of one registry, one for each repository: a token is sent to the repository that it was fetched for and to no
 * other, whatever its scopes name. Concurrent requests for the same token share one fetch.
 */
export interface TokenCache {
  /** Returns the token of a repository for a scheme if it has not expired. */
  find(path: string, scheme: BearerScheme): CachedToken | undefined;
  /** Returns the cached token for these credentials, or fetches one. Rejects with a `SourceFault`. */
  get(path: string, request: TokenRequest, caller: Caller): Promise<string>;
  /** Removes a token that was refused, unless another has replaced it. */
  remove(path: string, refused: string): void;
}

/** Bounds memory: anyone who can create pods can name any number of repositories below a hub. */
const MAX_TOKENS = 1000;

export const createTokenCache = ({ registry, transport, tokenBytes, now }: TokenCacheOptions): TokenCache => {
  const tokens = new LRUCache<string, CachedToken>({ max: MAX_TOKENS });
  const inFlight = new Map<string, SharedFetch<string>>();

  const fetch = async (path: string, request: TokenRequest, caller: Caller): Promise<string> => {
    const { scheme, credentials, fingerprint } = request;
    const options = { scheme, credentials, limit: tokenBytes, registry, now };
    const token = await fetchToken(transport, options, caller);
    tokens.set(path, { ...token, fingerprint, scheme: keyOfScheme(scheme) });
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

  const find = (path: string, scheme: BearerScheme): CachedToken | undefined => {
    const token = tokens.get(path);
    const isUsable = token?.scheme === keyOfScheme(scheme) && now() < token.expires;
    return isUsable ? token : undefined;
  };

  return {
    find,
    async get(path, request, caller) {
      const cached = find(path, request.scheme);
      if (cached?.fingerprint === request.fingerprint) return cached.value;
      const key = `${path} ${request.fingerprint} ${keyOfScheme(request.scheme)}`;
      return (inFlight.get(key) ?? start(key, path, request, caller)).join(caller);
    },
    remove(path, refused) {
      if (tokens.get(path)?.value === refused) tokens.delete(path);
    },
  };
};
