import { faultOf, type RequestContext } from '../../src/registry/http/network-fault.ts';
import { redirectedRequest, redirectTarget } from '../../src/registry/http/redirects.ts';
import {
  type Caller,
  type CreateTransport,
  type HttpRequest,
  type HttpResponse,
  SourceFault,
} from '../../src/registry/index.ts';
import type { Network } from './run.ts';
import type { SimulatedResponse } from './simulated-registry.ts';

const REQUEST_TIMEOUT = 'request timeout';

const CONNECTION_REFUSED = 'ECONNREFUSED';

const noConnection = (): Error =>
  Object.assign(new Error('connection refused'), { code: CONNECTION_REFUSED });

/** Resolves after some milliseconds of the virtual clock; rejects with the signal's reason if it is aborted before. */
const wait = (milliseconds: number | undefined, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    if (milliseconds === undefined) return undefined;
    setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    return undefined;
  });

const responseOf = (
  { status, headers, body }: SimulatedResponse,
  request: HttpRequest,
  name: string,
): HttpResponse => {
  const isRead = status === 200 && request.method !== 'HEAD';
  if (isRead && body.length > request.limit)
    throw new SourceFault('answer-invalid', `${name}: the response is longer than ${request.limit} bytes`, {
      asked: true,
    });
  const isErrorRead = status !== 200 && body.length <= (request.errorLimit ?? -1);
  return {
    status,
    by: request.namedBy === 'registry' ? 'registry' : 'backend',
    header: (key) => headers[key],
    headers: (key) => (headers[key] === undefined ? [] : [headers[key]]),
    body: isRead || isErrorRead ? body : new Uint8Array(),
  };
};

const exchange = async (
  network: Network,
  request: HttpRequest,
  name: string,
  { signal, onRequest, onWait }: Caller,
): Promise<HttpResponse> => {
  onRequest();
  const endWait = request.namedBy === 'registry' ? onWait() : undefined;
  try {
    const { method, url, headers } = request;
    const fate = network({ method, url, authorization: headers?.['authorization'] });
    if (fate === 'no connection') throw noConnection();
    await wait(fate === 'silence' ? undefined : fate.after, signal);
    return responseOf(fate as SimulatedResponse, request, name);
  } finally {
    endWait?.();
  }
};

/** Sends a request and follows redirects, as the transport over sockets does. */
const follow = async (
  network: Network,
  first: HttpRequest,
  { name, redirects }: { readonly name: string; readonly redirects: number },
  caller: Caller,
  context: { current: HttpRequest; followed: number },
): Promise<HttpResponse> => {
  for (;;) {
    const response = await exchange(network, context.current, name, caller);
    const target = redirectTarget(response, context.current.url, name);
    if (target === undefined) return response;
    if (context.followed === redirects)
      throw new SourceFault('refused', `${name} redirects more than ${redirects} times`, { asked: true });
    context.followed += 1;
    context.current = redirectedRequest(first, target);
  }
};

/** Creates transports to a simulated network. Everything but sockets is the registry room's own. */
export const createSimulatedTransport =
  (network: Network): CreateTransport =>
  ({ name, redirects, requestTimeout }) => ({
    async send(request, { signal: caller, ...rest }) {
      if (caller.aborted)
        throw new SourceFault('deadline', `no time was left to send a request to ${name}`, { asked: false });
      const timeout = new AbortController();
      const timer = setTimeout(() => timeout.abort(REQUEST_TIMEOUT), requestTimeout);
      const progress = { current: request, followed: 0 };
      const signal = AbortSignal.any([caller, timeout.signal]);
      try {
        return await follow(network, request, { name, redirects }, { signal, ...rest }, progress);
      } catch (error) {
        const context: RequestContext = {
          name,
          proxy: undefined,
          requestTimeout,
          caller,
          timeout: timeout.signal,
          isRedirected: progress.followed > 0,
          isConnectError: error instanceof Error && 'code' in error && error.code === CONNECTION_REFUSED,
          isOwn: progress.current.namedBy === 'registry',
        };
        throw faultOf(error, context);
      } finally {
        clearTimeout(timer);
      }
    },
    close: async () => {},
  });
