import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Dispatcher, request as send } from 'undici';
import type { ProxyFor } from '../proxy/proxy.ts';
import { proxyRefusal } from '../proxy/tunnel.ts';
import { SourceFault } from '../source.ts';
import type { LookUp } from './addresses.ts';
import { createAgents, type NamedBy, type Route } from './agents.ts';
import { discardBody, readBody } from './body.ts';
import { faultOf, isLostConnection } from './network-fault.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bytes the answer may have. */
  readonly limit: number;
  /** Bytes that are read of an error's body; a longer one is passed over. Undefined: none. */
  readonly errorLimit?: number | undefined;
  /** Who named the host that is asked; what it redirects to was named by nobody. */
  readonly namedBy: NamedBy;
}

export interface HttpResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** All values of a header that may be there several times. */
  headers(name: string): readonly string[];
  /** Empty but for an answer 200 to a GET or POST, and for errors where they were asked for. */
  readonly body: Uint8Array;
}

export interface TransportOptions {
  /** How faults name whom we ask: `registry.corp.example`. */
  readonly name: string;
  readonly ca: string | undefined;
  /** Host and port that plain HTTP is allowed to, as a URL has them. */
  readonly plainHttpHost: string | undefined;
  readonly redirects: number;
  /** Milliseconds for one question, its redirects included. */
  readonly requestTimeout: number;
  readonly lookUp?: LookUp | undefined;
  readonly proxyFor: ProxyFor;
}

/** Who asks: his time, and whom to tell of each request sent. */
export interface Caller {
  readonly signal: AbortSignal;
  readonly onRequest: () => void;
}

export interface Transport {
  /**
   * Asks, and follows redirects, but never with a POST. Rejects with a `SourceFault`; any HTTP status that came back is
   * an answer. The question's own headers go to its own origin alone, and not after a redirect.
   */
  send(question: HttpRequest, asker: Caller): Promise<HttpResponse>;
  /** Ends every connection, also under a question. */
  close(): Promise<void>;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const NOTHING = new Uint8Array();
/** Bytes of a body that nobody reads that are let go by, to use its connection again; a longer one ends with it. */
const DISCARDED = 65_536;

const answerOf = ({ statusCode, headers }: Dispatcher.ResponseData, body: Uint8Array): HttpResponse => {
  const all = (name: string): readonly string[] => {
    const value = headers[name];
    return value === undefined ? [] : [value].flat();
  };
  return { status: statusCode, header: (name) => all(name)[0], headers: all, body };
};

/** Sends a question. What is safe to repeat is sent once more where a connection was lost before anything came back. */
const sendTwice = async (
  { method, url, headers, body }: HttpRequest,
  { signal, onRequest }: Caller,
  dispatcher: Dispatcher,
): Promise<Dispatcher.ResponseData> => {
  const sendOnce = (): Promise<Dispatcher.ResponseData> => {
    onRequest();
    return send(url, {
      method,
      signal,
      dispatcher,
      // undici would close the connection after a HEAD.
      reset: false,
      headers: { ...headers, 'accept-encoding': 'identity' },
      ...(body === undefined ? {} : { body }),
    });
  };
  try {
    return await sendOnce();
  } catch (error) {
    if (method === 'POST' || signal.aborted || !isLostConnection(error)) throw error;
    return sendOnce();
  }
};

/** What an error says, where somebody wants to know and it says it shortly; else the body goes by unread. */
const readErrorBody = async (
  response: Dispatcher.ResponseData,
  limit: number | undefined,
  name: string,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  if (limit === undefined) {
    await discardBody(response, DISCARDED);
    return NOTHING;
  }
  return readBody(response, limit, name, signal).catch((error: unknown) => {
    if (error instanceof SourceFault) return NOTHING;
    throw error;
  });
};

/** Where an answer sends us; undefined: nowhere. Throws a fault where that is no place to go. */
const nextPlace = (
  answer: HttpResponse,
  from: URL,
  name: string,
  plainHttpHost?: string,
): URL | undefined => {
  const location = REDIRECTS.has(answer.status) ? answer.header('location') : undefined;
  if (location === undefined) return undefined;
  const next = URL.parse(location, from);
  if (next === null)
    throw new SourceFault('answer-invalid', `${name} redirects to what is no URL`, { asked: true });
  checkScheme(next, name, { plainHttpHost, asked: true });
  return next;
};

const checkScheme = (
  { protocol, host }: URL,
  name: string,
  { plainHttpHost, asked }: { readonly plainHttpHost: string | undefined; readonly asked: boolean },
): void => {
  if (protocol === 'https:' || (protocol === 'http:' && host === plainHttpHost)) return;
  const detail = `${name}: ${protocol}//${host} is not https, and only https is followed`;
  throw new SourceFault('refused', detail, { asked });
};

/** The question that follows a redirect: whoever is redirected to learns nothing that was meant for who redirects. */
const redirected = (
  { method, url, headers, limit, namedBy: reach }: HttpRequest,
  next: URL,
): HttpRequest => ({
  method,
  url: next,
  limit,
  headers: headers?.['accept'] === undefined ? {} : { accept: headers['accept'] },
  namedBy: next.host === url.host ? reach : 'elsewhere',
});

/** Creates what one registry is asked through. */
export const createTransport = (options: TransportOptions): Transport => {
  const { name, plainHttpHost, redirects, requestTimeout } = options;
  const agents = createAgents(options);

  const exchange = async (
    question: HttpRequest,
    { dispatcher, proxy }: Route,
    asker: Caller,
  ): Promise<HttpResponse> => {
    const { method, limit, errorLimit } = question;
    const response = await sendTwice(question, asker, dispatcher);
    if (proxy !== undefined && response.statusCode === 407) {
      await discardBody(response, DISCARDED);
      throw proxyRefusal(proxy, 407);
    }
    const isRead = response.statusCode === 200 && method !== 'HEAD';
    const body = isRead
      ? await readBody(response, limit, name, asker.signal)
      : await readErrorBody(response, errorLimit, name, asker.signal);
    // undici gives a connection back one turn later; a question before that would open another.
    await nextTurn();
    return answerOf(response, body);
  };

  return {
    async send(question, { signal: caller, onRequest }) {
      if (caller.aborted)
        throw new SourceFault('deadline', `no time was left to ask ${name}`, { asked: false });
      checkScheme(question.url, name, { plainHttpHost, asked: false });
      const patience = AbortSignal.timeout(requestTimeout);
      const signal = AbortSignal.any([caller, patience]);
      let followed = 0;
      let step = question;
      let means: Route | undefined;
      try {
        for (;;) {
          means = agents.routeFor(step.namedBy, step.url);
          const answer = await exchange(step, means, { signal, onRequest });
          const next = step.method === 'POST' ? undefined : nextPlace(answer, step.url, name, plainHttpHost);
          if (next === undefined) return answer;
          if (followed === redirects)
            throw new SourceFault('refused', `${name} redirects more than ${redirects} times`, {
              asked: true,
            });
          followed += 1;
          step = redirected(question, next);
        }
      } catch (error) {
        const times = { requestTimeout, caller, timeout: patience };
        throw faultOf(error, { name, proxy: means?.proxy, ...times, isRedirected: followed > 0 });
      }
    },
    close: agents.close,
  };
};
