import type { Credentials } from '../credentials/credentials.ts';
import type { NamedBy } from '../http/agents.ts';
import type { Caller, HttpRequest, HttpResponse, Transport } from '../http/transport.ts';
import { checkResponse } from '../response-status.ts';
import { SourceFault } from '../source.ts';

/** What a bearer challenge asks for, checked: the realm is one this registry may name. */
export interface TokenRealm {
  readonly realm: URL;
  readonly namedBy: NamedBy;
  readonly service: string | undefined;
}

export interface Token {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** Seconds a token lives that does not say how long (distribution, docs/spec/auth/token.md). */
const DEFAULT_LIFETIME = 60;
/** A token is not used in its last seconds, so that it does not end under way. */
const MARGIN_MS = 5_000;

const basicOf = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

const questionOf = (
  { realm, namedBy: reach, service }: TokenRealm,
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
    return { method: 'POST', url: realm, namedBy: reach, limit, headers, body: fields.toString() };
  }
  const url = new URL(realm);
  for (const [name, value] of fields) url.searchParams.set(name, value);
  const authorization =
    credentials?.kind === 'password'
      ? { authorization: basicOf(credentials.username, credentials.password) }
      : {};
  return {
    method: 'GET',
    url,
    namedBy: reach,
    limit,
    headers: { accept: 'application/json', ...authorization },
  };
};

const parseToken = ({ body }: HttpResponse, now: number, name: string): Token => {
  const invalid = (): SourceFault =>
    new SourceFault('answer-invalid', `${name}: its token service answers without a token`, { asked: true });
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw invalid();
  }
  if (typeof document !== 'object' || document === null) throw invalid();
  const { token, access_token: accessToken, expires_in: seconds } = document as Record<string, unknown>;
  const value = typeof token === 'string' && token !== '' ? token : accessToken;
  // A token with a line break in it would write headers of its own.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) throw invalid();
  const lifetime = typeof seconds === 'number' && seconds > 0 ? seconds : DEFAULT_LIFETIME;
  return { value, expires: now + Math.max(lifetime * 1000 - MARGIN_MS, 1000) };
};

const asWhom = (credentials: Credentials | undefined): string => {
  if (credentials?.kind === 'helper') return `anonymously, since ${helperNotRun(credentials)}`;
  return credentials === undefined ? 'anonymously' : 'with these credentials';
};

/** Why credentials that a helper keeps are not there. */
export const helperNotRun = ({ helper }: Extract<Credentials, { kind: 'helper' }>): string =>
  `its credentials are kept by the credential helper ${helper}, which is not run`;

/** Fetches a token for one scope (distribution, docs/spec/auth/token.md and oauth.md). Rejects with a `SourceFault`. */
export const fetchToken = async (
  transport: Transport,
  wanted: {
    readonly realm: TokenRealm;
    readonly scope: string;
    readonly credentials: Credentials | undefined;
    readonly limit: number;
    readonly name: string;
    readonly now: () => number;
  },
  asker: Caller,
): Promise<Token> => {
  const { realm, scope, credentials, limit, name, now } = wanted;
  const answer = await transport.send(questionOf(realm, scope, credentials, limit), asker);
  if (answer.status === 200) return parseToken(answer, now(), name);
  checkResponse(answer, `the token service of ${name}`);
  throw new SourceFault(
    'refused',
    `the token service of ${name} gives no token ${asWhom(credentials)} (${answer.status}); check the registry credentials`,
    { asked: true },
  );
};

export const basicAuthorization = ({
  username,
  password,
}: Extract<Credentials, { kind: 'password' }>): string => basicOf(username, password);
