import { LRUCache } from 'lru-cache';
import type { Credentials } from '../credentials/credentials.ts';
import type { Transport } from '../http/transport.ts';
import { fetchToken, type Token, type TokenRealm } from './fetch-token.ts';

export interface TokenCacheOptions {
  readonly registry: string;
  readonly transport: Transport;
  readonly tokenBytes: number;
  readonly now: () => number;
}

/** With what a token is fetched. */
export interface TokenRequest {
  readonly realm: TokenRealm;
  readonly credentials: Credentials | undefined;
  /** Stands for the credentials: equal for equal ones. */
  readonly fingerprint: string;
}

/** A token, and the credentials it was got with. */
export interface CachedToken extends Token {
  readonly fingerprint: string;
}

/** The tokens of one registry: one for each repository, fetched once for all who wait for it. */
export interface TokenCache {
  /** The token of a repository, if it is still good. */
  find(path: string): CachedToken | undefined;
  /** The token got with these credentials, fetched where none is held. Rejects with a `SourceFault`. */
  get(path: string, means: TokenRequest, onRequest: () => void): Promise<string>;
  /** Forgets a token that was refused, unless another has taken its place. */
  forget(path: string, refused: string): void;
}

/** Anybody who may create pods can name repositories below a hub, as many as he likes. */
const MOST_TOKENS = 1000;

/** Scope is pull and nothing else: a verifier that could push would be worth stealing from. */
const scopeOf = (path: string): string => `repository:${path}:pull`;

export const createTokenCache = ({ registry, transport, tokenBytes, now }: TokenCacheOptions): TokenCache => {
  const tokens = new LRUCache<string, CachedToken>({ max: MOST_TOKENS });
  const underWay = new Map<string, Promise<string>>();

  const fetch = async (path: string, means: TokenRequest, onRequest: () => void): Promise<string> => {
    const { realm, credentials, fingerprint } = means;
    const wanted = { realm, scope: scopeOf(path), credentials, limit: tokenBytes, name: registry, now };
    // Not the caller's signal: others wait for the same token. The transport ends it in its own time.
    const token = await fetchToken(transport, wanted, { signal: new AbortController().signal, onRequest });
    tokens.set(path, { ...token, fingerprint });
    return token.value;
  };

  const held = (path: string): CachedToken | undefined => {
    const token = tokens.get(path);
    return token !== undefined && now() < token.expires ? token : undefined;
  };

  return {
    find: held,
    async get(path, means, onRequest) {
      const known = held(path);
      if (known?.fingerprint === means.fingerprint) return known.value;
      const flight = `${path} ${means.fingerprint}`;
      const fetching =
        underWay.get(flight) ?? fetch(path, means, onRequest).finally(() => underWay.delete(flight));
      underWay.set(flight, fetching);
      return fetching;
    },
    forget(path, refused) {
      if (tokens.get(path)?.value === refused) tokens.delete(path);
    },
  };
};
