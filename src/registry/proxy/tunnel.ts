import { type ClientRequest, request as requestPlainly } from 'node:http';
import { request as requestSecurely, Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { callbackify } from 'node:util';
import { Agent, type buildConnector, type Dispatcher } from 'undici';
import { isAddressLiteral } from '../address-class.ts';
import type { FaultCode, FaultRemedy } from '../source.ts';
import { createTrustingConnector } from '../tls/connector.ts';
import type { FindSecureContext } from '../tls/trust.ts';

/** A proxy did not open the connection. The message names the proxy and never contains its password. */
export class ProxyFault extends Error {
  override readonly name = 'ProxyFault';
  readonly code: Extract<FaultCode, 'refused' | 'unavailable'>;
  readonly remedy: FaultRemedy | undefined;

  constructor(proxy: URL, code: ProxyFault['code'], problem: string, remedy?: FaultRemedy, cause?: unknown) {
    super(`the proxy ${proxy.host} ${problem}`, { cause });
    this.code = code;
    this.remedy = remedy;
  }
}

/** Decodes the escapes of a part of a URL, which need not be UTF-8. */
const unescape = (text: string): Buffer =>
  Buffer.from(
    text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );

/** Returns the header with the user name and password of a proxy's URL (RFC 9110 §11.7.2). */
const authorizationOf = ({ username, password }: URL): Readonly<Record<string, string>> => {
  if (username === '' && password === '') return {};
  const text = unescape(`${username}:${password}`);
  return { 'proxy-authorization': `Basic ${text.toString('base64')}` };
};

/** Returns the fault of a proxy's response other than 200. */
export const proxyRefusal = (proxy: URL, status: number): ProxyFault => {
  if (status === 407)
    return new ProxyFault(
      proxy,
      'refused',
      'requires another user name and password (407); set them in its URL in HTTPS_PROXY or HTTP_PROXY',
      'proxy',
    );
  if (status === 403)
    return new ProxyFault(
      proxy,
      'refused',
      'refused the connection (403); permit this host in the proxy',
      'proxy',
    );
  return new ProxyFault(proxy, 'unavailable', `could not open the connection (${status})`);
};

/** `secureContext` is that of a proxy over TLS. */
const startConnect = (
  proxy: URL,
  target: string,
  secureContext: SecureContext | undefined,
): ClientRequest => {
  const isSecure = secureContext !== undefined;
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  const options = {
    method: 'CONNECT',
    host,
    // Node would take the name for the proxy's TLS from the `host` header, which names the target.
    servername: isAddressLiteral(host) ? '' : host,
    port: proxy.port === '' ? (isSecure ? 443 : 80) : proxy.port,
    path: target,
    agent: false,
    headers: { host: target, ...authorizationOf(proxy) },
  } as const;
  return isSecure
    ? requestSecurely({ ...options, agent: new SecureAgent({ secureContext, keepAlive: false }) })
    : requestPlainly(options);
};

/** Opens a socket to `target`, `host:port`, through a proxy (RFC 9110 §9.3.6). Rejects with a {@link ProxyFault}. */
const openTunnel = async (
  proxy: URL,
  target: string,
  timeout: number,
  findSecureContext: FindSecureContext,
): Promise<Socket> => {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const secureContext = proxy.protocol === 'https:' ? await findSecureContext() : undefined;
  const request = startConnect(proxy, target, secureContext);
  const timer = setTimeout(
    () =>
      request.destroy(
        new ProxyFault(proxy, 'unavailable', `did not respond within ${timeout} ms`, 'proxy-unreachable'),
      ),
    timeout,
  );
  request.once('connect', ({ statusCode = 0 }, socket: Socket, early) => {
    clearTimeout(timer);
    if (statusCode === 200 && early.length === 0) return resolve(socket);
    socket.on('error', () => {}).destroy();
    reject(proxyRefusal(proxy, statusCode));
  });
  request.once('error', (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    const problem = `cannot be reached (${error.code ?? error.name})`;
    reject(
      error instanceof ProxyFault
        ? error
        : new ProxyFault(proxy, 'unavailable', problem, 'proxy-unreachable', error),
    );
  });
  request.end();
  return promise;
};

const authorityOf = (hostname: string, port: string): string =>
  `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port === '' ? '443' : port}`;

/** Connects to https hosts through a proxy. TLS ends at the host, and has its authorities; the proxy may have others. */
export const createTunnel = (
  proxy: URL,
  options: {
    readonly timeout: number;
    readonly secureContext: FindSecureContext;
    readonly proxySecureContext: FindSecureContext;
  },
): buildConnector.connector => {
  const { timeout, secureContext, proxySecureContext } = options;
  const secure = createTrustingConnector(secureContext, { allowH2: false, timeout });
  const open = callbackify((target: string) => openTunnel(proxy, target, timeout, proxySecureContext));
  return (target, callback) =>
    open(authorityOf(target.hostname, target.port), (error, httpSocket) => {
      if (error === null) secure({ ...target, httpSocket }, callback);
      else callback(error, null);
    });
};

/** Sends plain HTTP requests through a proxy, with the whole URL as target (RFC 9112 §3.2.2). */
export const createForwarder = (proxy: URL, options: Agent.Options): Dispatcher =>
  new Agent(options).compose((dispatch) => (request, handler) => {
    const origin = new URL(String(request.origin));
    const headers = {
      ...(request.headers as Record<string, string>),
      host: origin.host,
      ...authorizationOf(proxy),
    };
    return dispatch(
      { ...request, origin: proxy.origin, path: `${origin.origin}${request.path}`, headers },
      handler,
    );
  });
