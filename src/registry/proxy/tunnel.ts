import { type ClientRequest, request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import type { Socket } from 'node:net';
import { callbackify } from 'node:util';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { isAddressLiteral } from '../address-class.ts';
import type { FaultCode } from '../source.ts';

/** A proxy did not connect us. The message is a sentence that names the proxy, and never its password. */
export class ProxyFault extends Error {
  override readonly name = 'ProxyFault';
  readonly code: Extract<FaultCode, 'refused' | 'unavailable'>;

  constructor(proxy: URL, code: ProxyFault['code'], why: string, cause?: unknown) {
    super(`the proxy ${proxy.host} ${why}`, { cause });
    this.code = code;
  }
}

/** The user name and password of a proxy's URL as it wants them (RFC 9110 §11.7.2). */
const authorizationOf = ({ username, password }: URL): Readonly<Record<string, string>> => {
  if (username === '' && password === '') return {};
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(text).toString('base64')}` };
};

/** What a proxy's answer other than 200 means. */
export const proxyRefusal = (proxy: URL, status: number): ProxyFault => {
  if (status === 407)
    return new ProxyFault(
      proxy,
      'refused',
      'wants another user name and password (407): write them into its URL in HTTPS_PROXY or HTTP_PROXY',
    );
  if (status === 403)
    return new ProxyFault(proxy, 'refused', 'does not let us through (403): have it allow this host');
  return new ProxyFault(proxy, 'unavailable', `could not connect us (${status})`);
};

const startConnect = (proxy: URL, target: string): ClientRequest => {
  const isSecure = proxy.protocol === 'https:';
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  const options = {
    method: 'CONNECT',
    host,
    // Node would take the name for the proxy's TLS from the `host` header, which names another.
    servername: isAddressLiteral(host) ? '' : host,
    port: proxy.port === '' ? (isSecure ? 443 : 80) : proxy.port,
    path: target,
    agent: false,
    headers: { host: target, ...authorizationOf(proxy) },
  } as const;
  return isSecure ? requestSecurely(options) : requestPlainly(options);
};

/** A socket to `target`, `host:port`, through a proxy (RFC 9110 §9.3.6). Rejects with a {@link ProxyFault}. */
const openTunnel = (proxy: URL, target: string, patience: number): Promise<Socket> => {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const request = startConnect(proxy, target);
  const clock = setTimeout(
    () => request.destroy(new ProxyFault(proxy, 'unavailable', `did not answer within ${patience} ms`)),
    patience,
  );
  request.once('connect', ({ statusCode = 0 }, socket: Socket, early) => {
    clearTimeout(clock);
    if (statusCode === 200 && early.length === 0) return resolve(socket);
    socket.on('error', () => {}).destroy();
    reject(proxyRefusal(proxy, statusCode));
  });
  request.once('error', (error: NodeJS.ErrnoException) => {
    clearTimeout(clock);
    const why = `cannot be reached (${error.code ?? error.name})`;
    reject(error instanceof ProxyFault ? error : new ProxyFault(proxy, 'unavailable', why, error));
  });
  request.end();
  return promise;
};

const authorityOf = (hostname: string, port: string): string =>
  `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port === '' ? '443' : port}`;

/** Connects to https hosts through a proxy: the connection's TLS ends at the host, and `ca` is for that. */
export const createTunnel = (
  proxy: URL,
  { patience, ...trusted }: { readonly patience: number; readonly ca?: string[] },
): buildConnector.connector => {
  const secure = buildConnector({ ...trusted, allowH2: false, timeout: patience });
  const open = callbackify((target: string) => openTunnel(proxy, target, patience));
  return (options, callback) =>
    open(authorityOf(options.hostname, options.port), (error, httpSocket) => {
      if (error === null) secure({ ...options, httpSocket }, callback);
      else callback(error, null);
    });
};

/** Asks plain HTTP hosts through a proxy, which is sent the whole URL (RFC 9112 §3.2.2). */
export const createForwarder = (proxy: URL, options: Agent.Options): Dispatcher =>
  new Agent(options).compose((dispatch) => (question, handler) => {
    const asked = new URL(String(question.origin));
    const headers = {
      ...(question.headers as Record<string, string>),
      host: asked.host,
      ...authorizationOf(proxy),
    };
    return dispatch(
      { ...question, origin: proxy.origin, path: `${asked.origin}${question.path}`, headers },
      handler,
    );
  });
