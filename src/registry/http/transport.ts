import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Dispatcher, request as sendRequest } from 'undici';
import { timeoutSignal } from '../../base/index.ts';
import type { ProxyFor } from '../proxy/proxy.ts';
import { proxyRefusal } from '../proxy/tunnel.ts';
import { SourceFault } from '../source.ts';
import type { FindSecureContext } from '../tls/trust.ts';
import type { LookUp } from './addresses.ts';
import { createAgents, type Route } from './agents.ts';
import { discardBody, readBody } from './body.ts';
import type { Caller, HttpRequest, HttpResponse } from './http-message.ts';
import { faultOf, isLostConnection } from './network-fault.ts';
import { checkScheme, redirectedRequest, redirectTarget } from './redirects.ts';

export interface TransportOptions {
  /** The name of the server in faults: `registry.corp.example`. */
  readonly name: string;
  /** The authorities that the registry, and every host that it refers to, are checked by. */
  readonly secureContext: FindSecureContext;
  /** The authorities that a proxy over TLS is checked by. */
  readonly proxySecureContext: FindSecureContext;
  /** Host and port that plain HTTP is permitted to, as a URL has them. */
  readonly plainHttpHost: string | undefined;
  /** Maximum number of redirects to follow. */
  readonly redirects: number;
  /** Milliseconds for one request, including its redirects. */
  readonly requestTimeout: number;
  readonly lookUp?: LookUp | undefined;
  /** Resolves names that only a response contains; undefined: as `lookUp`. */
  readonly lookUpBackend?: LookUp | undefined;
  readonly proxyFor: ProxyFor;
}

export interface Transport {
  /**
   * Sends a request and follows redirects, except of a POST. Resolves with the response, whatever its status; rejects
   * with a `SourceFault`. The request's own headers go to its own origin only, and never after a redirect.
   */
  send(request: HttpRequest, caller: Caller): Promise<HttpResponse>;
  /** Closes every connection, even during a request. */
  close(): Promise<void>;
}

export type CreateTransport = (options: TransportOptions) => Transport;

const EMPTY_BODY = new Uint8Array();
/** Bytes to discard of an unread body before its connection is closed rather than reused. */
const MAX_DISCARDED_BYTES = 65_536;

/** True if the host is the registry's own, reached without a detour over another. */
const isOwn = ({ namedBy }: HttpRequest): boolean => namedBy === 'registry';

const responseOf = (
  { statusCode, headers }: Dispatcher.ResponseData,
  body: Uint8Array,
  request: HttpRequest,
): HttpResponse => {
  const valuesOf = (name: string): readonly string[] => {
    const value = headers[name];
    return value === undefined ? [] : [value].flat();
  };
  const by = isOwn(request) ? 'registry' : 'backend';
  return { status: statusCode, by, header: (name) => valuesOf(name)[0], headers: valuesOf, body };
};

/** Sends a request; one that is safe to repeat is retried once if the connection is lost before any response. */
const sendWithRetry = async (
  request: HttpRequest,
  { signal, onRequest, onWait }: Caller,
  dispatcher: Dispatcher,
): Promise<Dispatcher.ResponseData> => {
  const { method, url, headers, body } = request;
  const sendOnce = (): Promise<Dispatcher.ResponseData> => {
    onRequest();
    return sendRequest(url, {
      method,
      signal,
      dispatcher,
      // undici would close the connection after a HEAD.
      reset: false,
      headers: { ...headers, 'accept-encoding': 'identity' },
      ...(body === undefined ? {} : { body }),
    });
  };
  const endWait = isOwn(request) ? onWait() : undefined;
  try {
    return await sendOnce();
  } catch (error) {
    if (method === 'POST' || signal.aborted || !isLostConnection(error)) throw error;
    return await sendOnce();
  } finally {
    endWait?.();
  }
};

/** Reads the body of an error if the request has a limit for it and the body is within the limit; else discards it. */
const readErrorBody = async (
  response: Dispatcher.ResponseData,
  limit: number | undefined,
  name: string,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  if (limit === undefined) {
    await discardBody(response, MAX_DISCARDED_BYTES);
    return EMPTY_BODY;
  }
  return readBody(response, limit, name, signal).catch((error: unknown) => {
    if (error instanceof SourceFault) return EMPTY_BODY;
    throw error;
  });
};

/** Sends one request along a route and reads the response. */
const exchange = async (
  request: HttpRequest,
  { dispatcher, proxy }: Route,
  name: string,
  caller: Caller,
): Promise<HttpResponse> => {
  const { method, limit, errorLimit } = request;
  const response = await sendWithRetry(request, caller, dispatcher);
  if (proxy !== undefined && response.statusCode === 407) {
    await discardBody(response, MAX_DISCARDED_BYTES);
    throw proxyRefusal(proxy, 407);
  }
  const isRead = response.statusCode === 200 && method !== 'HEAD';
  const body = isRead
    ? await readBody(response, limit, name, caller.signal)
    : await readErrorBody(response, errorLimit, name, caller.signal);
  // undici returns a connection to its pool one turn later; a request before that would open another.
  await nextTurn();
  return responseOf(response, body, request);
};

/** Creates the HTTP client for one registry. */
export const createTransport: CreateTransport = (options) => {
  const { name, plainHttpHost, redirects, requestTimeout } = options;
  const agents = createAgents(options);

  return {
    async send(request, { signal: caller, onRequest, onWait }) {
      if (caller.aborted)
        throw new SourceFault('deadline', `no time was left to send a request to ${name}`, { asked: false });
      checkScheme(request.url, name, { plainHttpHost, asked: false });
      const timeout = timeoutSignal(requestTimeout);
      const signal = AbortSignal.any([caller, timeout]);
      let followed = 0;
      let current = request;
      let route: Route | undefined;
      try {
        for (;;) {
          route = agents.routeFor(current.namedBy, current.url);
          const response = await exchange(current, route, name, { signal, onRequest, onWait });
          const target =
            current.method === 'POST'
              ? undefined
              : redirectTarget(response, current.url, name, plainHttpHost);
          if (target === undefined) return response;
          if (followed === redirects)
            throw new SourceFault('refused', `${name} redirects more than ${redirects} times`, {
              asked: true,
              remedy: 'registry-setup',
            });
          followed += 1;
          current = redirectedRequest(current, target);
        }
      } catch (error) {
        const at = { name, proxy: route?.proxy, requestTimeout, caller, timeout };
        const isRedirected = followed > 0;
        const isConnectError = agents.isConnectError(error);
        throw faultOf(error, { ...at, isRedirected, isConnectError, isOwn: isOwn(current) });
      }
    },
    close: agents.close,
  };
};
