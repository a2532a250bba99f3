import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** The authentication that a registry requires. */
export type RegistryAuth =
  | { readonly kind: 'basic'; readonly account: Account }
  | {
      readonly kind: 'token';
      /** The account that gets tokens; undefined if every client does. */
      readonly account?: Account;
      /** The realm, if it is not the registry's own `/token`. */
      readonly realm?: string;
      readonly field?: 'token' | 'access_token';
      /** The `expires_in` of a token, in seconds. */
      readonly lifetime?: number;
    };

const basic = ({ username, password }: Account): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

const tokenFor = (scope: string): string => `token-for-${Buffer.from(scope).toString('hex')}`;

const scopeOf = (request: IncomingMessage): string =>
  `repository:${/^\/v2\/(.+?)\/(?:manifests|blobs|referrers)\//.exec(request.url ?? '')?.[1] ?? ''}:pull`;

/** Returns true if the request is authorised; otherwise responds with 401 and a challenge. */
export const authorise = (
  auth: RegistryAuth,
  origin: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean => {
  const authorization = request.headers.authorization;
  if (auth.kind === 'basic') {
    if (authorization === basic(auth.account)) return true;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="test registry"' }).end();
    return false;
  }
  const scope = scopeOf(request);
  if (authorization === `Bearer ${tokenFor(scope)}`) return true;
  const realm = auth.realm ?? `${origin}/token`;
  response
    .writeHead(401, {
      'www-authenticate': `Bearer realm="${realm}",service="test registry",scope="${scope}"`,
    })
    .end();
  return false;
};

/** Responds as the registry's own token service. */
export const sendToken = (
  auth: Extract<RegistryAuth, { kind: 'token' }>,
  request: IncomingMessage,
  response: ServerResponse,
): void => {
  if (auth.account !== undefined && request.headers.authorization !== basic(auth.account)) {
    response
      .writeHead(401, { 'content-type': 'application/json' })
      .end('{"details":"incorrect username or password"}');
    return;
  }
  const scope = new URL(request.url ?? '', 'http://registry').searchParams.get('scope') ?? '';
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({ [auth.field ?? 'token']: tokenFor(scope), expires_in: auth.lifetime ?? 300 }),
  );
};
