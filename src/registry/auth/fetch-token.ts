import { isJsonObject, parseJson } from '../../base/index.ts';
import type { Credentials, HelperCredentials, Password } from '../credentials/credentials.ts';
import type { Caller, HttpRequest, HttpResponse } from '../http/http-message.ts';
import type { Transport } from '../http/transport.ts';
import { checkResponse } from '../response-status.ts';
import { SourceFault } from '../source.ts';
import type { BearerScheme } from './auth-scheme.ts';

export interface Token {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** The lifetime of a token that does not state one (distribution, docs/spec/auth/token.md). */
const DEFAULT_LIFETIME_SECONDS = 60;
/** A token is not used in its last seconds, so that it does not expire in flight. */
const EXPIRY_MARGIN_MS = 5_000;
const MIN_LIFETIME_MS = 1_000;

/** Returns the value of an `Authorization` header (RFC 7617). */
export const basicAuthorization = ({ username, password }: Password): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** The user name and password among credentials; undefined: there are none. */
export const passwordOf = (credentials: Credentials | undefined): Password | undefined => {
  if (credentials?.kind === 'password') return credentials;
  return credentials?.kind === 'identity-token' ? credentials.login : undefined;
};

interface TokenQuery {
  readonly scheme: BearerScheme;
  readonly limit: number;
}

/** A request with a user name and password, or an anonymous one (distribution, docs/spec/auth/token.md). */
const getRequestOf = (query: TokenQuery, password: Password | undefined): HttpRequest => {
  const { realm, namedBy, service, scopes } = query.scheme;
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.delete('scope');
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const authorization = password === undefined ? {} : { authorization: basicAuthorization(password) };
  const headers = { accept: 'application/json', ...authorization };
  return { method: 'GET', url, namedBy, limit: query.limit, headers };
};

/** A request with a refresh token (distribution, docs/spec/auth/oauth.md). */
const postRequestOf = (query: TokenQuery, refreshToken: string): HttpRequest => {
  const { realm: url, namedBy, service, scopes } = query.scheme;
  const fields = new URLSearchParams({
    ...(service === undefined ? {} : { service }),
    scope: scopes.join(' '),
    grant_type: 'refresh_token',
    client_id: 'sailmark',
    refresh_token: refreshToken,
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  return { method: 'POST', url, namedBy, limit: query.limit, headers, body: fields.toString() };
};

/** The statuses of token services that know no OAuth2 (containerd, core/remotes/docker/authorizer.go). */
const NO_OAUTH_STATUSES: ReadonlySet<number> = new Set([401, 404, 405]);

/** Asks the token service; one that knows no OAuth2 is asked again as every client may. */
const askTokenService = async (
  transport: Transport,
  query: TokenQuery,
  credentials: Credentials | undefined,
  caller: Caller,
): Promise<HttpResponse> => {
  if (credentials?.kind === 'identity-token') {
    const response = await transport.send(postRequestOf(query, credentials.token), caller);
    if (!NO_OAUTH_STATUSES.has(response.status)) return response;
  }
  return transport.send(getRequestOf(query, passwordOf(credentials)), caller);
};

const parseToken = ({ body }: HttpResponse, now: number, registry: string): Token => {
  const document = parseJson(Buffer.from(body).toString('utf8'));
  const { token, access_token: accessToken, expires_in: seconds } = isJsonObject(document) ? document : {};
  const value = typeof token === 'string' && token !== '' ? token : accessToken;
  // A token with a line break in it would add headers of its own.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new SourceFault('answer-invalid', `the token service of ${registry} responded without a token`, {
      asked: true,
    });
  const lifetime = typeof seconds === 'number' && seconds > 0 ? seconds : DEFAULT_LIFETIME_SECONDS;
  return { value, expires: now + Math.max(lifetime * 1000 - EXPIRY_MARGIN_MS, MIN_LIFETIME_MS) };
};

/** Explains why credentials are missing that a helper stores. */
export const helperNotRun = ({ helper }: HelperCredentials): string =>
  `its credentials are stored by the credential helper ${helper}, which is not run`;

const describeCredentials = (credentials: Credentials | undefined): string => {
  if (credentials?.kind === 'helper') return `to an anonymous request, because ${helperNotRun(credentials)}`;
  return credentials === undefined ? 'to an anonymous request' : 'for these credentials';
};

/** Fetches a token for the scopes of a scheme (distribution, docs/spec/auth/token.md and oauth.md). Rejects with a `SourceFault`. */
export const fetchToken = async (
  transport: Transport,
  options: {
    readonly scheme: BearerScheme;
    readonly credentials: Credentials | undefined;
    readonly limit: number;
    readonly registry: string;
    readonly now: () => number;
  },
  caller: Caller,
): Promise<Token> => {
  const { scheme, credentials, limit, registry, now } = options;
  const response = await askTokenService(transport, { scheme, limit }, credentials, caller);
  if (response.status === 200) return parseToken(response, now(), registry);
  checkResponse(response, `the token service of ${registry}`);
  throw new SourceFault(
    'refused',
    `the token service of ${registry} returned no token ${describeCredentials(credentials)} (${response.status})`,
    { asked: true, remedy: 'access' },
  );
};
