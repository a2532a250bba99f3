import { type Dispatcher, errors, request as send } from 'undici';
import { AddressForbidden, type LookUp, LookUpFailed } from './addresses.ts';
import { type Agents, createAgents, type Reach } from './agents.ts';
import { readBody } from './body.ts';
import { SourceFault } from './source.ts';

export interface HttpQuestion {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bytes the answer may have. */
  readonly limit: number;
  /** Who named the host that is asked; what it redirects to was named by nobody. */
  readonly reach: Reach;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** All values of a header that may be there several times. */
  headers(name: string): readonly string[];
  readonly body: Uint8Array;
}

export interface TransportOptions {
  /** How faults name whom we ask: `registry.corp.example`. */
  readonly name: string;
  readonly ca: string | undefined;
  /** Host and port that plain HTTP is allowed to. */
  readonly plainHttpHost: string | undefined;
  readonly redirects: number;
  /** Milliseconds for one request. */
  readonly requestTimeout: number;
  readonly lookUp?: LookUp | undefined;
}

/** Who asks: his time, and whom to tell of each request sent. */
export interface Asker {
  readonly signal: AbortSignal;
  readonly onRequest: () => void;
}

export interface Transport {
  /**
   * Asks, and follows redirects. Rejects with a `SourceFault`; any HTTP status that came back is an answer. The
   * question's own headers go to its own origin alone.
   */
  ask(question: HttpQuestion, asker: Asker): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const TLS_FAILURE = /CERT|SELF_SIGNED|UNABLE_TO_|TLS|SSL/;

const answerOf = ({ statusCode, headers }: Dispatcher.ResponseData, body: Uint8Array): HttpAnswer => {
  const all = (name: string): readonly string[] => {
    const value = headers[name];
    return value === undefined ? [] : [value].flat();
  };
  return { status: statusCode, header: (name) => all(name)[0], headers: all, body };
};

/** The sentence of a connection that failed; never the URL, which may carry a token. */
const sentenceOf = (error: unknown): string => {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  if (TLS_FAILURE.test(code))
    return `its TLS certificate is not trusted (${code}); name its authority in caFile or --ca-file`;
  return code === '' ? message.slice(0, 200) : `no connection (${code})`;
};

/** The fault that an error of one request means. What is an error of ours is passed on as it is. */
const faultOf = (error: unknown, { name, requestTimeout }: TransportOptions, asker: Asker): unknown => {
  if (error instanceof SourceFault) return error;
  const cause = { asked: true, cause: error };
  if (asker.signal.aborted) return new SourceFault('deadline', `${name} did not answer in time`, cause);
  const { name: kind, code } = error as { name?: string; code?: string };
  if (error instanceof AddressForbidden)
    return new SourceFault('refused', `${name}: ${error.message}`, cause);
  if (error instanceof LookUpFailed)
    return new SourceFault('unavailable', `${name}: ${error.message}`, cause);
  if (kind === 'TimeoutError')
    return new SourceFault('unavailable', `${name} did not answer within ${requestTimeout} ms`, cause);
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError)
    return new SourceFault('answer-invalid', `${name} does not answer in HTTP`, cause);
  if (error instanceof errors.UndiciError || code !== undefined)
    return new SourceFault('unavailable', `${name}: ${sentenceOf(error)}`, cause);
  return error;
};

const checkScheme = ({ protocol, host }: URL, { name, plainHttpHost }: TransportOptions): void => {
  if (protocol === 'https:' || (protocol === 'http:' && host === plainHttpHost)) return;
  const detail = `${name}: ${protocol}//${host} is not https, and only https is followed`;
  throw new SourceFault('refused', detail, { asked: true });
};

/** Where an answer redirects to; undefined: it does not. */
const locationOf = (answer: HttpAnswer, from: URL, options: TransportOptions): URL | undefined => {
  const location = REDIRECTS.has(answer.status) ? answer.header('location') : undefined;
  if (location === undefined) return undefined;
  const url = URL.parse(location, from);
  if (url === null)
    throw new SourceFault('answer-invalid', `${options.name} redirects to what is no URL`, { asked: true });
  checkScheme(url, options);
  url.username = '';
  url.password = '';
  return url;
};

/** A connection that was kept open may be closed by the other side just as it is used again: nothing was answered. */
const wasClosedUnasked = (error: unknown): boolean =>
  ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes((error as { readonly code?: string }).code ?? '');

/** Sends one request; once more where it met a connection that was being closed, unless it may have had an effect. */
const createSend = (options: TransportOptions, agents: Agents) => {
  const sendOnce = async (question: HttpQuestion, signal: AbortSignal, onRequest: () => void) => {
    const { url, method, headers, body, reach } = question;
    const dispatcher = agents.agentFor(reach, url);
    onRequest();
    return send(url, {
      method,
      signal,
      dispatcher,
      headers: { ...headers, 'accept-encoding': 'identity', 'user-agent': 'sailmark' },
      ...(body === undefined ? {} : { body }),
    });
  };
  return async (question: HttpQuestion, { signal, onRequest }: Asker): Promise<HttpAnswer> => {
    const both = AbortSignal.any([signal, AbortSignal.timeout(options.requestTimeout)]);
    const response = await sendOnce(question, both, onRequest).catch((error: unknown) => {
      if (question.method === 'POST' || both.aborted || !wasClosedUnasked(error)) throw error;
      return sendOnce(question, both, onRequest);
    });
    const most = question.method === 'HEAD' ? Number.POSITIVE_INFINITY : question.limit;
    return answerOf(response, await readBody(response, most, options.name, both));
  };
};

/** Creates what one registry is asked through. */
export const createTransport = (options: TransportOptions): Transport => {
  const { name, redirects } = options;
  const agents = createAgents(options);
  const sendQuestion = createSend(options, agents);

  const follow = async (question: HttpQuestion, asker: Asker): Promise<HttpAnswer> => {
    // Whoever is redirected to learns nothing that was meant for the one who redirects.
    const { accept } = question.headers ?? {};
    const headers = accept === undefined ? {} : { accept };
    const method = question.method === 'HEAD' ? 'HEAD' : 'GET';
    let { url } = question;
    let answer = await sendQuestion(question, asker);
    for (let followed = 0; ; followed += 1) {
      const next = locationOf(answer, url, options);
      if (next === undefined) return answer;
      if (followed === redirects)
        throw new SourceFault('refused', `${name} redirects more than ${redirects} times`, { asked: true });
      const reach = next.host === question.url.host ? question.reach : 'elsewhere';
      answer = await sendQuestion({ method, url: next, limit: question.limit, headers, reach }, asker);
      url = next;
    }
  };

  return {
    async ask(question, asker) {
      if (asker.signal.aborted)
        throw new SourceFault('deadline', `no time was left to ask ${name}`, { asked: false });
      try {
        checkScheme(question.url, options);
        return await follow(question, asker);
      } catch (error) {
        throw faultOf(error, options, asker);
      }
    },
    close: agents.close,
  };
};
