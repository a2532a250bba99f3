import { isJsonObject, parseJson } from '../../base/index.ts';
import type { Credentials, HelperCredentials } from '../credentials/credentials.ts';
import type { Caller, HttpRequest, HttpResponse } from '../http/http-message.ts';
import type { Transport } from '../http/transport.ts';
import { checkResponse } from '../response-status.ts';
import { SourceFault } from '../source.ts';
import type { TokenRealm } from './realm.ts';

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
export const basicAuthorization = ({
  username,
  password,
}: Extract<Credentials, { kind: 'password' }>): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

const tokenRequestOf = (
  { realm, namedBy, service }: TokenRealm,
  scope: string,
  credentials: Credentials | undefined,
  limit: number,
): HttpRequest => {
  const fields = new URLSearchParams({ ...(service === undefined ? {} : { service }), scope });
  if (credentials?.kind === 'identity-token') {
    for (const [name, value] of Object.entries({
      grant_type: 'refresh_token',
      client_id: 'sailmark',
      refresh_token: credentials.token,
    }))
      fields.set(name, value);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    return { method: 'POST', url: realm, namedBy, limit, headers, body: fields.toString() };
  }
  const url = new URL(realm);
  for (const [name, value] of fields) url.searchParams.set(name, value);
  const authorization =
    credentials?.kind === 'password' ? { authorization: basicAuthorization(credentials) } : {};
  return { method: 'GET', url, namedBy, limit, headers: { accept: 'application/json', ...authorization } };
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

/** Fetches a token for one scope (distribution, docs/spec/auth/token.md and oauth.md). Rejects with a `SourceFault`. */
export const fetchToken = async (
  transport: Transport,
  options: {
    readonly realm: TokenRealm;
    readonly scope: string;
    readonly credentials: Credentials | undefined;
    readonly limit: number;
    readonly registry: string;
    readonly now: () => number;
  },
  caller: Caller,
): Promise<Token> => {
  const { realm, scope, credentials, limit, registry, now } = options;
  const response = await transport.send(tokenRequestOf(realm, scope, credentials, limit), caller);
  if (response.status === 200) return parseToken(response, now(), registry);
  checkResponse(response, `the token service of ${registry}`);
  throw new SourceFault(
    'refused',
    `the token service of ${registry} returned no token ${describeCredentials(credentials)} (${response.status}); check the registry credentials`,
    { asked: true },
  );
};
