import { LRUCache } from 'lru-cache';
import type { FindCredentials } from './credentials.ts';
import { SourceFault } from './source.ts';
import { fetchToken, type Token, type TokenRealm } from './token.ts';
import type { Asker, Transport } from './transport.ts';

export interface TokensOptions {
  readonly registry: string;
  readonly findCredentials: FindCredentials;
  readonly transport: Transport;
  readonly tokenBytes: number;
  readonly now: () => number;
}

/** The tokens of one registry: one for each repository, fetched once for all who wait for it. */
export interface Tokens {
  /** A token that is still good. Rejects with a `SourceFault`. */
  get(path: string, realm: TokenRealm, asker: Asker): Promise<string>;
  /** Forgets a token that was refused, unless another has taken its place. */
  forget(path: string, refused: string | undefined): void;
}

/** Anybody who may create pods can name repositories below a hub, as many as he likes. */
const MOST_TOKENS = 1000;

/** Scope is pull and nothing else: a verifier that could push would be worth stealing from. */
const scopeOf = (path: string): string => `repository:${path}:pull`;

/** Waits for work that others share no longer than this caller may; the work goes on for the others. */
const within = async <T>(work: Promise<T>, { signal }: Asker, registry: string): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void =>
    reject(new SourceFault('deadline', `${registry} did not answer in time`, { asked: true }));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', leave));
};

export const createTokens = (options: TokensOptions): Tokens => {
  const { registry, findCredentials, transport, tokenBytes, now } = options;
  const held = new LRUCache<string, Token>({ max: MOST_TOKENS });
  const underWay = new Map<string, Promise<Token>>();

  const fetch = async (path: string, realm: TokenRealm, onRequest: () => void): Promise<Token> => {
    const credentials = await findCredentials(`${registry}/${path}`);
    const wanted = { realm, scope: scopeOf(path), credentials, limit: tokenBytes, name: registry, now };
    // Not the caller's signal: others wait for the same token. The transport ends it in its own time.
    const token = await fetchToken(transport, wanted, { signal: new AbortController().signal, onRequest });
    held.set(path, token);
    return token;
  };

  const fetchOnce = (path: string, realm: TokenRealm, onRequest: () => void): Promise<Token> => {
    const fetching = underWay.get(path) ?? fetch(path, realm, onRequest).finally(() => underWay.delete(path));
    underWay.set(path, fetching);
    return fetching;
  };

  return {
    async get(path, realm, asker) {
      const known = held.get(path);
      if (known !== undefined && now() < known.expires) return known.value;
      return (await within(fetchOnce(path, realm, asker.onRequest), asker, registry)).value;
    },
    forget(path, refused) {
      if (held.get(path)?.value === refused) held.delete(path);
    },
  };
};
