import { sign } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Tls } from '../support/tls.ts';
import { ACCOUNT } from './docker-registry.ts';

/**
 * A token service that follows the specification of the distribution project (docs/spec/auth/jwt.md). It signs with the
 * key of its certificate.
 */
export interface TokenService {
  readonly realm: string;
  readonly issuer: string;
  readonly service: string;
  /** The certificates that verify its tokens, PEM. */
  readonly trusted: string;
  /** Every scope that was requested. */
  readonly scopes: readonly string[];
  /** Returns a token for a scope, for pushing images into the registry. */
  tokenFor(scope: string): string;
  close(): Promise<void>;
}

const base64url = (content: string | Buffer): string => Buffer.from(content).toString('base64url');
const derOf = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '');
const EXPECTED = `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`;

const accessOf = (scope: string): object[] => {
  const [, type, name, actions = ''] = /^([^:]+):(.+):([^:]+)$/.exec(scope) ?? [];
  return type === undefined ? [] : [{ type, name, actions: actions.split(',') }];
};

/** Starts it over TLS on loopback. It issues tokens only to `ACCOUNT`. */
export const startTokenService = async (tls: Tls): Promise<TokenService> => {
  const scopes: string[] = [];
  const issuer = 'sailmark e2e';
  const service = 'registry e2e';
  const tokenFor = (scope: string): string => {
    const now = Math.floor(Date.now() / 1000);
    const header = { typ: 'JWT', alg: 'ES256', x5c: [derOf(tls.cert)] };
    const claims = {
      iss: issuer,
      sub: ACCOUNT.username,
      aud: service,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: String(now),
      access: accessOf(scope),
    };
    const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
    return `${signed}.${base64url(sign('sha256', Buffer.from(signed), { key: tls.key, dsaEncoding: 'ieee-p1363' }))}`;
  };
  const server = createServer(tls, (request, response) => {
    const scope = new URL(request.url ?? '', 'https://token').searchParams.get('scope') ?? '';
    scopes.push(scope);
    if (request.headers.authorization !== EXPECTED) {
      response.writeHead(401).end();
      return;
    }
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ token: tokenFor(scope), expires_in: 300 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    realm: `https://127.0.0.1:${port}/token`,
    issuer,
    service,
    trusted: tls.ca,
    scopes,
    tokenFor,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
