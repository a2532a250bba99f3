import { type CredentialCandidate, createCredentialCandidates } from '../credentials/candidates.ts';
import type { FindCredentials } from '../credentials/credentials.ts';
import type { Caller, HttpResponse } from '../http/http-message.ts';
import type { Transport } from '../http/transport.ts';
import { SourceFault } from '../source.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, helperNotRun } from './fetch-token.ts';
import { parseRealm, type RealmOptions, type TokenRealm } from './realm.ts';
import { createTokenCache } from './token-cache.ts';

export interface AuthorizationOptions extends RealmOptions {
  readonly findCredentials: FindCredentials;
  readonly transport: Transport;
  readonly tokenBytes: number;
  readonly now: () => number;
}

/** The authentication scheme of the registry's last challenge; `none` before the first. */
type AuthScheme =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic' }
  | ({ readonly kind: 'bearer' } & TokenRealm);

export interface Authorization {
  /**
   * Yields the `Authorization` headers to try for a repository, in order; undefined: send none. Pass each `next()` the
   * 401 or 403 response to the previous header; stop once a request is not refused. At the end it rejects with a fault
   * if a token service or a source of credentials failed, or a challenge cannot be met.
   */
  headersToTry(path: string, caller: Caller): HeadersToTry;
}

export type HeadersToTry = AsyncGenerator<string | undefined, void, HttpResponse>;

/** Chooses the challenge to meet: bearer before basic, whatever their order; unknown schemes are ignored. */
const chooseChallenge = (response: HttpResponse, registry: string): Challenge => {
  const challenges = parseChallenges(response.headers('www-authenticate'));
  const chosen =
    challenges.find(({ scheme }) => scheme === 'bearer') ??
    challenges.find(({ scheme }) => scheme === 'basic');
  if (chosen !== undefined) return chosen;
  const detail = `${registry} responded 401 with neither a Bearer nor a Basic challenge`;
  throw new SourceFault('refused', detail, { asked: true });
};

/** Throws a fault if the credentials are not a user name and password. */
const basicHeaderFor = (
  { credentials }: CredentialCandidate,
  repository: string,
  registry: string,
): string => {
  if (credentials?.kind === 'password') return basicAuthorization(credentials);
  const reason =
    credentials?.kind === 'helper' ? helperNotRun(credentials) : `none is configured for ${repository}`;
  const detail = `${registry} requires a user name and password, but ${reason}`;
  throw new SourceFault('refused', detail, { asked: true });
};

const isRefusal = (error: unknown): error is SourceFault =>
  error instanceof SourceFault && error.code === 'refused';

/** Creates the authorization for one registry, which remembers the scheme of its last challenge. */
export const createAuthorization = (options: AuthorizationOptions): Authorization => {
  const { registry, findCredentials, now } = options;
  const tokens = createTokenCache(options);
  const candidates = createCredentialCandidates(registry, findCredentials, now);
  let scheme: AuthScheme = { kind: 'none' };

  const readChallenge = (response: HttpResponse): void => {
    const challenge = chooseChallenge(response, registry);
    scheme =
      challenge.scheme === 'basic'
        ? { kind: 'basic' }
        : { kind: 'bearer', ...parseRealm(challenge, options) };
  };

  const headerFor = async (path: string, candidate: CredentialCandidate, caller: Caller): Promise<string> => {
    if (scheme.kind !== 'bearer') return basicHeaderFor(candidate, `${registry}/${path}`, registry);
    return `Bearer ${await tokens.get(path, { ...candidate, realm: scheme }, caller)}`;
  };

  /** Tries the cached token, or no header before the first challenge. Returns the credentials not to try again. */
  async function* firstHeader(
    path: string,
  ): AsyncGenerator<string | undefined, string | undefined, HttpResponse> {
    const token = scheme.kind === 'bearer' ? tokens.find(path) : undefined;
    if (scheme.kind !== 'none' && token === undefined) return undefined;
    const refusal = yield token && `Bearer ${token.value}`;
    if (token !== undefined) tokens.remove(path, token.value);
    if (refusal.status === 401) readChallenge(refusal);
    // 403: the client is authenticated but not permitted; another token for these credentials would not help.
    else if (token !== undefined) candidates.markRefused(path, token.fingerprint);
    return refusal.status === 403 ? token?.fingerprint : undefined;
  }

  return {
    async *headersToTry(path, caller) {
      const refused = yield* firstHeader(path);
      if (scheme.kind === 'none') return;
      let fault: SourceFault | undefined;
      for await (const candidate of candidates.inOrder(path)) {
        if (candidate.fingerprint === refused) continue;
        try {
          const header = await headerFor(path, candidate, caller);
          const refusal = yield header;
          tokens.remove(path, header.replace(/^Bearer /, ''));
          // The scheme may have changed; the next request uses it.
          if (refusal.status === 401) readChallenge(refusal);
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
