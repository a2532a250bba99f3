import { claimOf } from './authority.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Credentials, FindCredentials } from './credentials.ts';
import { SourceFault } from './source.ts';
import { basicAuthorization, fetchToken, type Token, type TokenRealm } from './token.ts';
import type { Asker, HttpAnswer, Transport } from './transport.ts';

export interface AuthorizationOptions {
  /** The registry's name in normal form. */
  readonly registry: string;
  readonly tokenRealms: readonly string[];
  readonly plainHttpHost: string | undefined;
  readonly findCredentials: FindCredentials;
  readonly transport: Transport;
  readonly tokenBytes: number;
  readonly now: () => number;
}

/** How a registry wants to be asked, as its last challenge said. */
type Way =
  | { readonly kind: 'open' }
  | { readonly kind: 'basic' }
  | ({ readonly kind: 'bearer' } & TokenRealm);

export interface Authorization {
  /** The `Authorization` header for a repository, as the registry asked for last time; undefined: none. */
  headerFor(path: string, asker: Asker): Promise<string | undefined>;
  /** Learns from a 401, and forgets the token that was refused. Throws a fault where there is nothing more to try. */
  learn(path: string, refused: string | undefined, answer: HttpAnswer): void;
}

/** Scope is pull and nothing else: a verifier that could push would be worth stealing from. */
const scopeOf = (path: string): string => `repository:${path}:pull`;

const parseRealm = (challenge: Challenge, options: AuthorizationOptions): TokenRealm => {
  const { registry, tokenRealms, plainHttpHost } = options;
  const refuse = (detail: string): SourceFault =>
    new SourceFault('refused', `${registry}: ${detail}`, { asked: true });
  const realm = URL.parse(challenge.params['realm'] ?? '');
  if (realm === null) throw refuse('its token realm is no URL');
  if (realm.protocol !== 'https:' && !(realm.protocol === 'http:' && realm.host === plainHttpHost))
    throw refuse(`its token realm ${realm.host} is not https`);
  const claim = claimOf(realm, registry, tokenRealms);
  if (claim === undefined)
    throw refuse(
      `its token realm is on another host, ${realm.host}; if that is right, name it in registries[].tokenRealms`,
    );
  const reach = claim === 'named' ? 'named' : realm.host === registry ? 'registry' : 'elsewhere';
  realm.username = '';
  realm.password = '';
  return { realm, reach, service: challenge.params['service'] };
};

/** Waits for work that others share no longer than this caller may; the work goes on for the others. */
const within = async <T>(work: Promise<T>, { signal }: Asker, registry: string): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void =>
    reject(new SourceFault('deadline', `${registry} did not answer in time`, { asked: true }));
  signal.addEventListener('abort', leave, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', leave));
};

/** Keeps what one registry wants to see, and its tokens: one for each repository, fetched once for all who wait. */
export const createAuthorization = (options: AuthorizationOptions): Authorization => {
  const { registry, findCredentials, transport, tokenBytes, now } = options;
  const tokens = new Map<string, Token>();
  const fetching = new Map<string, Promise<Token>>();
  let way: Way = { kind: 'open' };

  const credentialsFor = (path: string): Promise<Credentials | undefined> =>
    findCredentials(`${registry}/${path}`);

  const fetchOnce = (path: string, realm: TokenRealm, onRequest: () => void): Promise<Token> => {
    const underWay = fetching.get(path);
    if (underWay !== undefined) return underWay;
    const fetch = async (): Promise<Token> => {
      const credentials = await credentialsFor(path);
      const wanted = { realm, scope: scopeOf(path), credentials, limit: tokenBytes, name: registry, now };
      // Not the caller's signal: others wait for the same token. The transport ends each request in its own time.
      const token = await fetchToken(transport, wanted, { signal: new AbortController().signal, onRequest });
      tokens.set(path, token);
      return token;
    };
    const fetched = fetch().finally(() => fetching.delete(path));
    fetching.set(path, fetched);
    return fetched;
  };

  const bearerFor = async (path: string, realm: TokenRealm, asker: Asker): Promise<string> => {
    const known = tokens.get(path);
    const token =
      known !== undefined && now() < known.expires
        ? known
        : await within(fetchOnce(path, realm, asker.onRequest), asker, registry);
    return `Bearer ${token.value}`;
  };

  const basicFor = async (path: string): Promise<string> => {
    const credentials = await credentialsFor(path);
    if (credentials?.kind === 'password') return basicAuthorization(credentials);
    throw new SourceFault(
      'refused',
      `${registry} wants a user name and password, and there are none for ${registry}/${path}`,
      {
        asked: true,
      },
    );
  };

  return {
    async headerFor(path, asker) {
      if (way.kind === 'open') return undefined;
      return way.kind === 'basic' ? basicFor(path) : bearerFor(path, way, asker);
    },
    learn(path, refused, answer) {
      const challenges = parseChallenges(answer.headers('www-authenticate'));
      const challenge =
        challenges.find(({ scheme }) => scheme === 'bearer') ??
        challenges.find(({ scheme }) => scheme === 'basic');
      if (challenge === undefined)
        throw new SourceFault('refused', `${registry} answers 401 with no challenge that we can meet`, {
          asked: true,
        });
      if (refused === `Bearer ${tokens.get(path)?.value}`) tokens.delete(path);
      way =
        challenge.scheme === 'basic'
          ? { kind: 'basic' }
          : { kind: 'bearer', ...parseRealm(challenge, options) };
    },
  };
};
