import { claimOf } from './authority.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { FindCredentials } from './credentials.ts';
import { SourceFault } from './source.ts';
import { basicAuthorization, helperNotRun, type TokenRealm } from './token.ts';
import { createTokens } from './tokens.ts';
import type { Asker, HttpAnswer, Transport } from './transport.ts';

export interface AuthorizationOptions {
  /** The registry's name in normal form. */
  readonly registry: string;
  /** Host and port where it answers, as a URL has them. */
  readonly endpoint: string | undefined;
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

const parseRealm = (challenge: Challenge, options: AuthorizationOptions): TokenRealm => {
  const { registry, endpoint, tokenRealms, plainHttpHost } = options;
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
  const reach = claim === 'named' ? 'named' : realm.host === endpoint ? 'registry' : 'elsewhere';
  return { realm, reach, service: challenge.params['service'] };
};

/** The challenge to meet: a token before a password, whatever their order; schemes we do not know are passed over. */
const chooseChallenge = (answer: HttpAnswer, registry: string): Challenge => {
  const challenges = parseChallenges(answer.headers('www-authenticate'));
  const chosen =
    challenges.find(({ scheme }) => scheme === 'bearer') ??
    challenges.find(({ scheme }) => scheme === 'basic');
  if (chosen !== undefined) return chosen;
  const detail = `${registry} answers 401 with no challenge that we can meet`;
  throw new SourceFault('refused', detail, { asked: true });
};

/** Keeps how one registry wants to be asked. */
export const createAuthorization = (options: AuthorizationOptions): Authorization => {
  const { registry, findCredentials } = options;
  const tokens = createTokens(options);
  let way: Way = { kind: 'open' };

  const basicFor = async (path: string): Promise<string> => {
    const credentials = await findCredentials(`${registry}/${path}`);
    if (credentials?.kind === 'password') return basicAuthorization(credentials);
    const why =
      credentials?.kind === 'helper' ? helperNotRun(credentials) : `there are none for ${registry}/${path}`;
    const detail = `${registry} wants a user name and password, and ${why}`;
    throw new SourceFault('refused', detail, { asked: true });
  };

  return {
    async headerFor(path, asker) {
      if (way.kind === 'open') return undefined;
      return way.kind === 'basic' ? basicFor(path) : `Bearer ${await tokens.get(path, way, asker)}`;
    },
    learn(path, refused, answer) {
      const challenge = chooseChallenge(answer, registry);
      tokens.forget(path, refused?.replace(/^Bearer /, ''));
      way =
        challenge.scheme === 'basic'
          ? { kind: 'basic' }
          : { kind: 'bearer', ...parseRealm(challenge, options) };
    },
  };
};
