import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { ApiConnection, RawResponse } from './api-connection.ts';
import {
  ClusterFault,
  faultOfStatus,
  faultOfThrown,
  isLostConnection,
  type RequestTarget,
} from './cluster-fault.ts';
import { pathOf } from './resource.ts';

/** What is asked of the API server. */
export interface ApiRequest extends RequestTarget {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: 'application/json-patch+json' | 'application/merge-patch+json';
  /** Statuses that are answers to this question beside 2xx. */
  readonly accept?: readonly number[];
  /** Bytes that the answer may have. */
  readonly limit?: number;
}

export interface ApiResponse {
  readonly status: number;
  /** The body of a 2xx, as parsed; undefined for another status. */
  readonly body: unknown;
}

/** Asks the API server. Rejects with a `ClusterFault` for every answer that the question does not accept. */
export type CallApi = (question: ApiRequest, signal: AbortSignal) => Promise<ApiResponse>;

/** Bytes of one object: what etcd takes, as JSON, several times over. */
const OBJECT_BYTES = 8 * 1024 * 1024;
/** How often a question is sent at most, where we are asked to wait. */
const TRIES = 4;
/** Milliseconds of a pause that does not say how long, and of the longest that is kept to. */
const SHORT_PAUSE = 1_000;
const LONGEST_PAUSE = 10_000;

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

const pauseOf = ({ header }: RawResponse): number => {
  const seconds = header('retry-after') ?? '';
  return /^\d+$/.test(seconds) ? Math.min(Number(seconds) * 1000, LONGEST_PAUSE) : SHORT_PAUSE;
};

/** The API server sheds load: it did nothing, and wants to be asked again (API priority and fairness). */
const wantsPause = ({ status, header }: RawResponse): boolean =>
  status === 429 || (status === 503 && header('retry-after') !== undefined);

const readText = async (
  { chunks, status }: RawResponse,
  asked: RequestTarget,
  limit: number,
): Promise<string> => {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit)
      throw new ClusterFault({ ...asked, status }, `the answer is longer than ${limit} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
};

const parseBody = (text: string, asked: RequestTarget, status: number): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ClusterFault({ ...asked, status }, 'the API server answers with what is no JSON', cause);
  }
};

/** Creates what asks one API server through `wire`, each request for `requestTimeout` milliseconds at most. */
export const createCallApi = (wire: ApiConnection, requestTimeout: number): CallApi => {
  const exchange = async (question: ApiRequest, signal: AbortSignal): Promise<[RawResponse, string]> => {
    const { method, resource, query, body, contentType, limit = OBJECT_BYTES } = question;
    const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    const answer = await wire.send({
      method,
      path: `${pathOf(resource)}${search}`,
      contentType: contentType ?? 'application/json',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
    const text = await readText(answer, question, limit);
    // A connection is given back one turn later; a question before that would open another.
    await nextTurn();
    return [answer, text];
  };

  /** A kept connection may end as it is used. Each of our writes may be repeated: it is tied to a version or a name. */
  const exchangeTwice = (question: ApiRequest, signal: AbortSignal): Promise<[RawResponse, string]> =>
    exchange(question, signal).catch((error: unknown) => {
      if (signal.aborted || !isLostConnection(error)) throw error;
      return exchange(question, signal);
    });

  const askOnce = async (question: ApiRequest, caller: AbortSignal): Promise<[RawResponse, string]> => {
    const signal = AbortSignal.any([caller, AbortSignal.timeout(requestTimeout)]);
    try {
      signal.throwIfAborted();
      return await exchangeTwice(question, signal);
    } catch (error) {
      throw faultOfThrown(question, error, signal.aborted);
    }
  };

  const waitAsAsked = (answer: RawResponse, question: ApiRequest, signal: AbortSignal): Promise<void> =>
    pause(pauseOf(answer), undefined, { signal }).catch((error: unknown) => {
      throw faultOfThrown(question, error, true);
    });

  return async (question, signal) => {
    let [answer, text] = await askOnce(question, signal);
    for (let tries = 1; wantsPause(answer) && tries < TRIES; tries += 1) {
      await waitAsAsked(answer, question, signal);
      [answer, text] = await askOnce(question, signal);
    }
    const { status } = answer;
    if (isSuccess(status)) return { status, body: parseBody(text, question, status) };
    if (question.accept?.includes(status)) return { status, body: undefined };
    throw faultOfStatus(question, status, text);
  };
};
