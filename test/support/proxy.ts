import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Account } from './registry-auth.ts';
import type { Tls } from './tls.ts';

export interface ProxyOptions {
  /** The account that clients must have; undefined if none is needed. */
  readonly account?: Account;
  /** The encoding that the account is sent in; by default UTF-8. */
  readonly encoding?: 'utf8' | 'latin1';
  readonly tls?: Tls;
  /** Handles a CONNECT instead of connecting. */
  readonly fault?: (socket: Socket) => void;
}

/**
 * A real proxy on a port of loopback: CONNECT for https, whole URLs for plain HTTP. It connects to loopback for every
 * host name.
 */
export interface TestProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly url: URL;
  /** Method and target of every request: `CONNECT registry.example:443`. */
  readonly requests: string[];
  close(): Promise<void>;
}

const basic = ({ username, password }: Account, encoding: 'utf8' | 'latin1'): string =>
  `Basic ${Buffer.from(`${username}:${password}`, encoding).toString('base64')}`;

const portOf = (target: string): number => Number(/:(\d+)$/.exec(target)?.[1] ?? 443);

/** Starts a proxy that listens before this resolves. */
export const startProxy = async ({
  account,
  encoding = 'utf8',
  tls,
  fault,
}: ProxyOptions = {}): Promise<TestProxy> => {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const mayPass = ({ headers }: IncomingMessage): boolean =>
    account === undefined || headers['proxy-authorization'] === basic(account, encoding);

  const forward = (incoming: IncomingMessage, response: ServerResponse): void => {
    requests.push(`${incoming.method} ${incoming.url}`);
    if (!mayPass(incoming)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="test proxy"' }).end();
      return;
    }
    const url = new URL(incoming.url ?? '');
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const options = {
      host: '127.0.0.1',
      port: url.port,
      path: url.pathname,
      method: incoming.method,
      headers,
    };
    const outgoing = request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.writeHead(502).end());
    incoming.pipe(outgoing);
  };

  const tunnel = (incoming: IncomingMessage, socket: Socket): void => {
    requests.push(`CONNECT ${incoming.url}`);
    socket.on('error', () => {});
    if (fault !== undefined) return fault(socket);
    if (!mayPass(incoming)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="x"\r\n\r\n');
      return;
    }
    const there = connect(portOf(incoming.url ?? ''), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      there.pipe(socket).pipe(there);
    });
    sockets.add(there);
    there.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  };

  const server: Server = tls === undefined ? createServer(forward) : createTlsServer(tls, forward);
  server.on('connect', tunnel);
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: new URL(`${tls === undefined ? 'http' : 'https'}://${host}`),
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
