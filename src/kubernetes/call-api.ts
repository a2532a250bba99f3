import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { parseJson, SECOND_MS } from '../base/index.ts';
import type { ApiConnection, RawResponse } from './api-connection.ts';
import {
  ClusterFault,
  faultOfStatus,
  faultOfThrown,
  isLostConnection,
  type RequestTarget,
} from './cluster-fault.ts';
import { type Method, pathOf } from './resource.ts';

/** One request to the API server. */
export interface ApiRequest extends RequestTarget {
  readonly method: Exclude<Method, 'WATCH'>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The header `Accept`; default: JSON. */
  readonly mediaType?: string;
  readonly contentType?: 'application/json-patch+json' | 'application/merge-patch+json';
  /** Statuses that are accepted besides 2xx. */
  readonly accept?: readonly number[];
  /** The maximum size of the response, in bytes. */
  readonly maxBytes?: number;
}

export interface ApiResponse {
  readonly status: number;
  /** The body, as parsed; undefined: that of another status than 2xx is not JSON. */
  readonly body: unknown;
}

/** Sends a request to the API server. Rejects with a `ClusterFault` for every response that the request does not accept. */
export type CallApi = (request: ApiRequest, signal: AbortSignal) => Promise<ApiResponse>;

/** Characters of a response that are worth a collection of garbage before it is parsed. */
const LONG_BODY = 1_000_000;
/** The default maximum of one object: several times what etcd accepts, as JSON. */
const MAX_OBJECT_BYTES = 8 * 1024 * 1024;
/** The number of times a request is sent if the API server asks for a retry. */
const MAX_TRIES = 4;
/** The delay before a retry if the response does not give one. */
const RETRY_DELAY_MS = 1_000;
/** The longest delay of a `Retry-After` that is respected. */
const MAX_RETRY_DELAY_MS = 10_000;

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

const retryDelayOf = ({ header }: RawResponse): number => {
  const seconds = header('retry-after') ?? '';
  return /^\d+$/.test(seconds) ? Math.min(Number(seconds) * SECOND_MS, MAX_RETRY_DELAY_MS) : RETRY_DELAY_MS;
};

/** True if the API server shed load: it did nothing and asks for a retry (API priority and fairness). */
const asksForRetry = ({ status, header }: RawResponse): boolean =>
  status === 429 || (status === 503 && header('retry-after') !== undefined);

const readText = async (
  { chunks, status }: RawResponse,
  target: RequestTarget,
  maxBytes: number,
): Promise<string> => {
  // Decoded as it comes: the bytes of a long page would stay outside the heap, which is collected late.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let text = '';
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxBytes)
      throw new ClusterFault(
        { ...target, status, isTooLong: true },
        `the response is longer than ${maxBytes} bytes`,
      );
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
};

const parseBody = (text: string, target: RequestTarget, status: number): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ClusterFault({ ...target, status }, 'the API server returned something other than JSON', cause);
  }
};

/**
 * Creates the function that sends requests to one API server, each for at most `requestTimeout` milliseconds. Once
 * `closed` is aborted, no request is sent any more, and those in flight are aborted. `collectGarbage` is called before a long
 * response is parsed.
 */
export const createCallApi = (
  connection: ApiConnection,
  requestTimeout: number,
  closed: AbortSignal,
  collectGarbage?: () => void,
): CallApi => {
  const exchange = async (request: ApiRequest, signal: AbortSignal): Promise<[RawResponse, string]> => {
    const { method, resource, query, body, contentType, mediaType, maxBytes = MAX_OBJECT_BYTES } = request;
    const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    const response = await connection.send({
      method,
      path: `${pathOf(resource)}${search}`,
      mediaType: mediaType ?? 'application/json',
      contentType: contentType ?? 'application/json',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
    const text = await readText(response, request, maxBytes);
    // The connection returns to the pool one turn later; a request before that would open another.
    await nextTurn();
    return [response, text];
  };

  /**
   * Retries once, because an idle connection may be closed just as it is used. Every write here may be repeated: it is
   * tied to a version or a name.
   */
  const exchangeWithRetry = (request: ApiRequest, signal: AbortSignal): Promise<[RawResponse, string]> =>
    exchange(request, signal).catch((error: unknown) => {
      if (signal.aborted || !isLostConnection(error)) throw error;
      return exchange(request, signal);
    });

  const sendOnce = async (request: ApiRequest, caller: AbortSignal): Promise<[RawResponse, string]> => {
    const signal = AbortSignal.any([caller, closed, AbortSignal.timeout(requestTimeout)]);
    try {
      signal.throwIfAborted();
      return await exchangeWithRetry(request, signal);
    } catch (error) {
      throw faultOfThrown(request, error, signal.aborted);
    }
  };

  const waitForRetry = (response: RawResponse, request: ApiRequest, caller: AbortSignal): Promise<void> =>
    pause(retryDelayOf(response), undefined, { signal: AbortSignal.any([caller, closed]) }).catch(
      (error: unknown) => {
        throw faultOfThrown(request, error, true);
      },
    );

  return async (request, signal) => {
    let [response, text] = await sendOnce(request, signal);
    for (let tries = 1; asksForRetry(response) && tries < MAX_TRIES; tries += 1) {
      await waitForRetry(response, request, signal);
      [response, text] = await sendOnce(request, signal);
    }
    const { status } = response;
    if (text.length > LONG_BODY) collectGarbage?.();
    if (isSuccess(status)) return { status, body: parseBody(text, request, status) };
    if (request.accept?.includes(status)) return { status, body: parseJson(text) };
    throw faultOfStatus(request, status, text);
  };
};
