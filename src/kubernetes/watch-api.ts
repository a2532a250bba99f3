import { isJsonObject, type JsonObject, SECOND_MS } from '../base/index.ts';
import type { ApiConnection, RawResponse } from './api-connection.ts';
import { ClusterFault, faultOfStatus, faultOfThrown, type RequestTarget } from './cluster-fault.ts';
import { pathOf, type Resource } from './resource.ts';

/** One change of a watched object. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: JsonObject;
}

/**
 * Watches one object for changes since a version. Ends when the API server ends the watch, or says that the version is too
 * old; throws a `ClusterFault` for every other end.
 */
export type WatchApi = (
  resource: Resource & { readonly name: string },
  version: string,
  signal: AbortSignal,
) => AsyncIterable<WatchEvent>;

/** The API server ends a watch after this time. It bounds how long a connection that died unseen is waited for. */
const WATCH_SECONDS = 120;
const GRACE_MS = 10 * SECOND_MS;
/** Several times what etcd accepts, as JSON. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
const MAX_STATUS_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
/** The version is older than what the API server remembers (Kubernetes API concepts, "410 Gone responses"). */
const GONE = 410;

const TYPES: readonly unknown[] = ['ADDED', 'MODIFIED', 'DELETED'];

/** Splits the response into its lines. */
async function* linesOf({ chunks, status }: RawResponse, target: RequestTarget): AsyncIterable<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]).toString('utf8');
      [parts, length, from] = [[], 0, end + 1];
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE_BYTES)
      throw new ClusterFault({ ...target, status }, `an event is longer than ${MAX_LINE_BYTES} bytes`);
  }
}

/** Parses an event; undefined: the version is too old. Throws a fault if it is something else. */
const parseEvent = (line: string, target: RequestTarget): WatchEvent | undefined => {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw new ClusterFault(
      { ...target, status: 200 },
      'the API server returned something other than JSON',
      cause,
    );
  }
  const { type, object } = isJsonObject(event) ? event : {};
  if (isJsonObject(object) && TYPES.includes(type)) return { type: type as WatchEvent['type'], object };
  if (isJsonObject(object) && object['code'] === GONE) return undefined;
  const code = isJsonObject(object) && typeof object['code'] === 'number' ? object['code'] : 200;
  throw faultOfStatus(target, code, JSON.stringify(object ?? {}));
};

const readStatus = async ({ chunks }: RawResponse): Promise<string> => {
  let text = '';
  for await (const chunk of chunks) {
    text += Buffer.from(chunk).toString('utf8');
    if (text.length > MAX_STATUS_BYTES) break;
  }
  return text;
};

/** Creates the function that watches objects of one API server. Once `closed` is aborted, every watch ends. */
export const createWatchApi = (connection: ApiConnection, closed: AbortSignal): WatchApi =>
  async function* watch({ name, ...collection }, version, caller) {
    const target: RequestTarget = { method: 'WATCH', resource: { ...collection, name } };
    const query = new URLSearchParams({
      watch: 'true',
      // Only with this selector does a rule with `resourceNames` allow a watch.
      fieldSelector: `metadata.name=${name}`,
      resourceVersion: version,
      timeoutSeconds: String(WATCH_SECONDS),
    });
    const timeout = AbortSignal.timeout(WATCH_SECONDS * SECOND_MS + GRACE_MS);
    const signal = AbortSignal.any([caller, closed, timeout]);
    try {
      const response = await connection.send({
        method: 'GET',
        path: `${pathOf(collection)}?${query.toString()}`,
        mediaType: 'application/json',
        contentType: 'application/json',
        body: undefined,
        signal,
      });
      if (response.status === GONE) return;
      if (response.status !== 200) throw faultOfStatus(target, response.status, await readStatus(response));
      for await (const line of linesOf(response, target)) {
        const event = parseEvent(line, target);
        if (event === undefined) return;
        yield event;
      }
    } catch (error) {
      throw faultOfThrown(target, error, signal.aborted);
    }
  };
