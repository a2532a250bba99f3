import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from './objects.ts';

/** A response of the API server, whatever its status. */
export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
  /** The texts of its `Warning` headers, as a client prints them. */
  readonly warnings: readonly string[];
}

export interface ApiRequest {
  readonly body?: unknown;
  /** The media type of the body; `application/json` if undefined. */
  readonly type?: string;
  readonly signal?: AbortSignal;
}

export interface WatchEvent<Watched> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Watched;
}

/** A client of the API server, as one user. */
export interface Api {
  /** `https://HOST:PORT` of the API server. */
  readonly url: string;
  /** Resolves with the response, whatever its status. Rejects if there is none. */
  send(method: string, path: string, options?: ApiRequest): Promise<ApiResponse>;
  /** Resolves with the body of a successful response. Rejects with an {@link ApiError} otherwise. */
  sendOrThrow<Body>(method: string, path: string, options?: ApiRequest): Promise<Body>;
  get<Body>(path: string, signal?: AbortSignal): Promise<Body>;
  /** Resolves with undefined if the object does not exist. */
  find<Body>(path: string): Promise<Body | undefined>;
  /** Creates an object. `query`: `?dryRun=All` and the like. */
  create<Created = KubernetesObject>(object: KubernetesObject, query?: string): Promise<Created>;
  /** Tries to create an object, and resolves with the response whatever its status. */
  tryCreate(object: KubernetesObject, query?: string): Promise<ApiResponse>;
  patch<Patched>(path: string, patch: unknown, type?: PatchType): Promise<Patched>;
  /** Deletes an object if it exists, by default without a grace period. */
  remove(path: string, options?: { readonly gracePeriodSeconds?: number }): Promise<void>;
  /** Yields the objects of a list, then their changes, until the signal ends. A broken watch resumes where it broke. */
  follow<Watched>(path: string, signal: AbortSignal): AsyncIterable<WatchEvent<Watched>>;
}

export type PatchType = 'merge' | 'strategic-merge' | 'json';

/** A response whose status is not a success. */
export class ApiError extends Error {
  readonly status: number;
  constructor(request: string, status: number, message: string) {
    super(`${request}: ${status} ${message}`);
    this.status = status;
  }
}

const pluralOf = (kind: string): string => {
  const name = kind.toLowerCase();
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
};

/** Returns the path of the collection that an object belongs to: `/api/v1/namespaces/NAMESPACE/pods`. */
export const collectionOf = ({ apiVersion, kind, metadata }: KubernetesObject): string => {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${group}${namespace}/${pluralOf(kind)}`;
};

const textOf = (warning: string): string =>
  /^299 \S+ "(.*)"$/s.exec(warning)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? warning;

/**
 * Returns the text of every `Warning` header. Node joins headers of one name with commas (RFC 9110 §5.3), so it reads
 * the raw ones.
 */
const warningsOf = ({ rawHeaders }: IncomingMessage): readonly string[] =>
  rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === 'warning' ? [textOf(rawHeaders[index + 1] ?? '')] : [],
  );

const parseBody = (text: string, response: IncomingMessage): unknown =>
  response.headers['content-type']?.includes('json') === true ? JSON.parse(text) : text;

const read = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

const messageOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  // Decodes across chunks: a chunk may end within a character.
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** The event by which the API server ends a watch with an error. */
interface WatchError {
  readonly type: 'ERROR';
  readonly object: { readonly message: string };
}

interface Listed<Item> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Item[];
}

/** True if the connection broke: the error comes from the system, not from a response. */
const isBroken = (error: unknown): boolean => error instanceof Error && 'code' in error;

/** Creates a client of the API server at `url`. `ca` verifies its certificate; `token` authenticates the client. */
export const openApi = (server: {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}): Api => {
  const agent = new Agent({ ca: server.ca, keepAlive: true });

  const open = (method: string, path: string, { body, type, signal }: ApiRequest): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const options: RequestOptions = {
        method,
        agent,
        signal,
        headers: {
          authorization: `Bearer ${server.token}`,
          accept: 'application/json',
          ...(text === undefined
            ? {}
            : { 'content-type': type ?? 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      };
      const request = httpsRequest(`${server.url}${path}`, options, resolve);
      request.once('error', reject);
      request.end(text);
    });

  const send: Api['send'] = async (method, path, request = {}) => {
    const response = await open(method, path, request);
    const body = parseBody(await read(response), response);
    return { status: response.statusCode ?? 0, body, warnings: warningsOf(response) };
  };
  const sendOrThrow = async <Body>(method: string, path: string, request?: ApiRequest): Promise<Body> => {
    const { status, body } = await send(method, path, request);
    if (status >= 300) throw new ApiError(`${method} ${path}`, status, messageOf(body));
    return body as Body;
  };
  const tryCreate: Api['tryCreate'] = (object, query = '') =>
    send('POST', `${collectionOf(object)}${query}`, { body: object });

  async function* watch<Watched>(
    path: string,
    from: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<Watched> & { readonly version: string }> {
    const mark = path.includes('?') ? '&' : '?';
    const response = await open('GET', `${path}${mark}watch=true&resourceVersion=${from}`, { signal });
    for await (const line of linesOf(response)) {
      const { type, object } = JSON.parse(line) as WatchEvent<KubernetesObject> | WatchError;
      if (type === 'ERROR') throw new Error(`watch ${path}: ${object.message}`);
      yield { type, object: object as Watched, version: object.metadata.resourceVersion ?? from };
    }
  }

  async function* follow<Watched>(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent<Watched>> {
    const { metadata, items } = await sendOrThrow<Listed<Watched>>('GET', path, { signal });
    for (const object of items) yield { type: 'ADDED', object };
    let version = metadata.resourceVersion;
    while (!signal.aborted) {
      try {
        for await (const event of watch<Watched>(path, version, signal)) {
          ({ version } = event);
          yield event;
        }
      } catch (error) {
        if (!signal.aborted && !isBroken(error)) throw error;
        await delay(100);
      }
    }
  }

  return {
    url: server.url,
    send,
    sendOrThrow,
    get: (path, signal) => sendOrThrow('GET', path, signal === undefined ? {} : { signal }),
    async find<Body>(path: string) {
      const { status, body } = await send('GET', path);
      if (status === 404) return undefined;
      if (status >= 300) throw new ApiError(`GET ${path}`, status, messageOf(body));
      return body as Body;
    },
    async create<Created>(object: KubernetesObject, query?: string) {
      const { status, body } = await tryCreate(object, query);
      if (status >= 300) throw new ApiError(`create ${object.kind}`, status, messageOf(body));
      return body as Created;
    },
    tryCreate,
    patch: (path, body, type = 'merge') =>
      sendOrThrow('PATCH', path, { body, type: `application/${type}-patch+json` }),
    async remove(path, { gracePeriodSeconds = 0 } = {}) {
      const { status, body } = await send('DELETE', path, { body: { gracePeriodSeconds } });
      if (status >= 300 && status !== 404) throw new ApiError(`DELETE ${path}`, status, messageOf(body));
    },
    follow,
  };
};
