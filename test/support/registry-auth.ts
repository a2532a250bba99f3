import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** How a registry wants to know who asks. */
export type RegistryAuth =
  | { readonly kind: 'basic'; readonly account: Account }
  | {
      readonly kind: 'token';
      /** Undefined: anybody may have a token. */
      readonly account?: Account;
      /** Another realm than the registry's own `/token`. */
      readonly realm?: string;
      readonly field?: 'token' | 'access_token';
      /** Seconds a token says it lives. */
      readonly lifetime?: number;
    };

const basic = ({ username, password }: Account): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

const tokenFor = (scope: string): string => `token-for-${Buffer.from(scope).toString('hex')}`;

const scopeOf = (request: IncomingMessage): string =>
  `repository:${/^\/v2\/(.+?)\/(?:manifests|blobs|referrers)\//.exec(request.url ?? '')?.[1] ?? ''}:pull`;

/** Lets the request through, or answers 401 with a challenge and returns false. */
export const authorise = (
  auth: RegistryAuth,
  origin: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean => {
  const given = request.headers.authorization;
  if (auth.kind === 'basic') {
    if (given === basic(auth.account)) return true;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="test registry"' }).end();
    return false;
  }
  const scope = scopeOf(request);
  if (given === `Bearer ${tokenFor(scope)}`) return true;
  const realm = auth.realm ?? `${origin}/token`;
  response
    .writeHead(401, {
      'www-authenticate': `Bearer realm="${realm}",service="test registry",scope="${scope}"`,
    })
    .end();
  return false;
};

/** What the registry's own token service answers. */
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
