import { verify, X509Certificate } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Tls } from '../support/tls.ts';
import type { TokenService } from './token-service.ts';

/**
 * A reverse proxy that adds TLS with a private CA and token auth to a registry that has neither. It serves the token
 * service under its own host name: go-containerregistry accepts no token service at another address of loopback.
 */
export interface TokenAuthProxy {
  readonly host: string;
  close(): Promise<void>;
}

interface Claims {
  readonly aud: string;
  readonly exp: number;
  readonly access: readonly { readonly name: string; readonly actions: readonly string[] }[];
}

/** Returns the claims of a token; undefined unless it is signed with the key of this certificate. */
const claimsOf = (token: string, certificate: X509Certificate): Claims | undefined => {
  const [header = '', body = '', signature = ''] = token.split('.');
  const key = { key: certificate.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  const signed = Buffer.from(`${header}.${body}`);
  return verify('sha256', signed, key, Buffer.from(signature, 'base64url'))
    ? (JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims)
    : undefined;
};

const repositoryOf = (url: string): string | undefined =>
  /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(url)?.[1];

/** Starts it on a free port of loopback for the plain HTTP registry at `upstream`. */
export const startTokenAuthProxy = async (
  tls: Tls,
  tokens: TokenService,
  upstream: string,
): Promise<TokenAuthProxy> => {
  const certificate = new X509Certificate(tls.cert);

  const mayPass = ({ method, url = '', headers }: IncomingMessage): boolean => {
    const claims = claimsOf(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '', certificate);
    if (claims === undefined || claims.aud !== tokens.service || claims.exp < Date.now() / 1000) return false;
    const repository = repositoryOf(url);
    const action = method === 'GET' || method === 'HEAD' ? 'pull' : 'push';
    return (
      repository === undefined ||
      claims.access.some(({ name, actions }) => name === repository && actions.includes(action))
    );
  };
  const challenge = ({ method, url = '', headers }: IncomingMessage, response: ServerResponse): void => {
    const actions = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
    const repository = repositoryOf(url);
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:${actions}"`;
    const header = `Bearer realm="https://${headers.host}/token",service="${tokens.service}"${scope}`;
    response.writeHead(401, { 'www-authenticate': header }).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
  };
  const pass = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { method, url = '', headers } = incoming;
    const forward = (upstreamResponse: IncomingMessage): void => {
      response.writeHead(upstreamResponse.statusCode ?? 502, upstreamResponse.headers);
      upstreamResponse.pipe(response);
    };
    const outgoing = url.startsWith('/token?')
      ? httpsRequest(new URL(url, tokens.realm), { method, headers, ca: tokens.trusted }, forward)
      : httpRequest(`http://${upstream}${url}`, { method, headers }, forward);
    outgoing.once('error', () => response.destroy());
    incoming.pipe(outgoing);
  };
  const server = createServer(tls, (incoming, response) =>
    incoming.url?.startsWith('/token?') === true || mayPass(incoming)
      ? pass(incoming, response)
      : challenge(incoming, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
