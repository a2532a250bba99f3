import { type CredentialCandidate, createCredentialCandidates } from '../credentials/candidates.ts';
import type { FindCredentials } from '../credentials/credentials.ts';
import type { Caller, HttpResponse, Transport } from '../http/transport.ts';
import { SourceFault } from '../source.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, helperNotRun, type TokenRealm } from './fetch-token.ts';
import { realmClaimOf } from './realm.ts';
import { createTokenCache } from './token-cache.ts';

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
type AuthScheme =
  | { readonly kind: 'open' }
  | { readonly kind: 'basic' }
  | ({ readonly kind: 'bearer' } & TokenRealm);

export interface Authorization {
  /**
   * The `Authorization` headers to ask for a repository with, one after the other; undefined: none. Each is answered with
   * the 401 or 403 that it met; a question that was not refused needs no more of them. At the end it rejects with a fault
   * where a token service, or a place that may hold credentials, stood in the way, or a challenge cannot be met.
   */
  headersToTry(path: string, asker: Caller): Attempts;
}

export type Attempts = AsyncGenerator<string | undefined, void, HttpResponse>;

const parseRealm = (challenge: Challenge, options: AuthorizationOptions): TokenRealm => {
  const { registry, endpoint, tokenRealms, plainHttpHost } = options;
  const refuse = (detail: string): SourceFault =>
    new SourceFault('refused', `${registry}: ${detail}`, { asked: true });
  const realm = URL.parse(challenge.params['realm'] ?? '');
  if (realm === null) throw refuse('its token realm is no URL');
  if (realm.protocol !== 'https:' && !(realm.protocol === 'http:' && realm.host === plainHttpHost))
    throw refuse(`its token realm ${realm.host} is not https`);
  const claim = realmClaimOf(realm, registry, tokenRealms);
  if (claim === undefined)
    throw refuse(
      `its token realm is on another host, ${realm.host}; if that is right, name it in registries[].tokenRealms`,
    );
  const reach = claim === 'named' ? 'named' : realm.host === endpoint ? 'registry' : 'elsewhere';
  return { realm, namedBy: reach, service: challenge.params['service'] };
};

/** The challenge to meet: a token before a password, whatever their order; schemes we do not know are passed over. */
const chooseChallenge = (answer: HttpResponse, registry: string): Challenge => {
  const challenges = parseChallenges(answer.headers('www-authenticate'));
  const chosen =
    challenges.find(({ scheme }) => scheme === 'bearer') ??
    challenges.find(({ scheme }) => scheme === 'basic');
  if (chosen !== undefined) return chosen;
  const detail = `${registry} answers 401 with no challenge that we can meet`;
  throw new SourceFault('refused', detail, { asked: true });
};

/** Throws a fault where these are no user name and password. */
const basicFor = ({ credentials }: CredentialCandidate, repository: string, registry: string): string => {
  if (credentials?.kind === 'password') return basicAuthorization(credentials);
  const why = credentials?.kind === 'helper' ? helperNotRun(credentials) : `there are none for ${repository}`;
  const detail = `${registry} wants a user name and password, and ${why}`;
  throw new SourceFault('refused', detail, { asked: true });
};

const isRefusal = (error: unknown): error is SourceFault =>
  error instanceof SourceFault && error.code === 'refused';

/** Keeps how one registry wants to be asked. */
export const createAuthorization = (options: AuthorizationOptions): Authorization => {
  const { registry, findCredentials, now } = options;
  const tokens = createTokenCache(options);
  const candidates = createCredentialCandidates(registry, findCredentials, now);
  let way: AuthScheme = { kind: 'open' };

  const learn = (answer: HttpResponse): void => {
    const challenge = chooseChallenge(answer, registry);
    way =
      challenge.scheme === 'basic'
        ? { kind: 'basic' }
        : { kind: 'bearer', ...parseRealm(challenge, options) };
  };

  const headerWith = async (path: string, candidate: CredentialCandidate, asker: Caller): Promise<string> => {
    if (way.kind !== 'bearer') return basicFor(candidate, `${registry}/${path}`, registry);
    return `Bearer ${await tokens.get(path, { ...candidate, realm: way }, asker.onRequest)}`;
  };

  /** What was good last time: as it came, or no header at all. Gives the credentials that need no second try. */
  async function* asBefore(
    path: string,
  ): AsyncGenerator<string | undefined, string | undefined, HttpResponse> {
    const token = way.kind === 'bearer' ? tokens.find(path) : undefined;
    if (way.kind !== 'open' && token === undefined) return undefined;
    const refusal = yield token && `Bearer ${token.value}`;
    if (token !== undefined) tokens.forget(path, token.value);
    if (refusal.status === 401) learn(refusal);
    // 403: whoever asks is known, and may not; another token of his would not help.
    else if (token !== undefined) candidates.markRefused(path, token.fingerprint);
    return refusal.status === 403 ? token?.fingerprint : undefined;
  }

  return {
    async *headersToTry(path, asker) {
      const spent = yield* asBefore(path);
      if (way.kind === 'open') return;
      let fault: SourceFault | undefined;
      for await (const candidate of candidates.inOrder(path)) {
        if (candidate.fingerprint === spent) continue;
        try {
          const header = await headerWith(path, candidate, asker);
          const refusal = yield header;
          tokens.forget(path, header.replace(/^Bearer /, ''));
          // It may want to be asked another way than before, the next time.
          if (refusal.status === 401) learn(refusal);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          fault = error;
        }
        candidates.markRefused(path, candidate.fingerprint);
      }
      if (fault !== undefined) throw fault;
    },
  };
};
