import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from './objects.ts';

/** An answer of the API server, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** The texts of its `Warning` headers, as a client prints them. */
  readonly warnings: readonly string[];
}

export interface Asked {
  readonly body?: unknown;
  /** Of the body; JSON unless it is a patch. */
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
  /** Asks, and gives the answer whatever it is. Rejects where there is none. */
  ask(method: string, path: string, asked?: Asked): Promise<ApiAnswer>;
  /** The body of an answer that must be a success; an {@link ApiError} where it is none. */
  must<Body>(method: string, path: string, asked?: Asked): Promise<Body>;
  get<Body>(path: string, signal?: AbortSignal): Promise<Body>;
  /** Undefined where there is none. */
  find<Body>(path: string): Promise<Body | undefined>;
  /** POSTs an object to where its kind lives. `query`: `?dryRun=All` and the like. */
  create<Created = KubernetesObject>(object: KubernetesObject, query?: string): Promise<Created>;
  /** The same, whatever the answer is. */
  tryCreate(object: KubernetesObject, query?: string): Promise<ApiAnswer>;
  patch<Patched>(path: string, patch: unknown, type?: PatchType): Promise<Patched>;
  /** Deletes it if it is there; without grace unless told. */
  remove(path: string, options?: { readonly gracePeriodSeconds?: number }): Promise<void>;
  /** What is in the list, then what changes, until the signal ends. A broken watch is taken up where it broke. */
  follow<Watched>(path: string, signal: AbortSignal): AsyncIterable<WatchEvent<Watched>>;
}

export type PatchType = 'merge' | 'strategic-merge' | 'json';

/** An answer that is no success. */
export class ApiError extends Error {
  readonly status: number;
  constructor(asked: string, status: number, message: string) {
    super(`${asked}: ${status} ${message}`);
    this.status = status;
  }
}

const pluralOf = (kind: string): string => {
  const name = kind.toLowerCase();
  return name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`;
};

/** Where objects of this kind live: `/api/v1/namespaces/NAMESPACE/pods`. */
export const collectionOf = ({ apiVersion, kind, metadata }: KubernetesObject): string => {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${group}${namespace}/${pluralOf(kind)}`;
};

const textOf = (warning: string): string =>
  /^299 \S+ "(.*)"$/s.exec(warning)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? warning;

/** Every `Warning` header: Node joins those of one name with commas (RFC 9110 §5.3), so the raw ones are read. */
const warningsOf = ({ rawHeaders }: IncomingMessage): readonly string[] =>
  rawHeaders.flatMap((name, place) =>
    place % 2 === 0 && name.toLowerCase() === 'warning' ? [textOf(rawHeaders[place + 1] ?? '')] : [],
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

/** What a watch ends with, where the API server ends it for a reason. */
interface Trouble {
  readonly type: 'ERROR';
  readonly object: { readonly message: string };
}

interface Listed<Item> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Item[];
}

/** Whether the connection broke: the error is the system's, and no answer's. */
const isBroken = (error: unknown): boolean => error instanceof Error && 'code' in error;

/** Opens a client of the API server at `url`, which must prove itself to `ca`; `token` says who asks. */
export const openApi = (server: {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}): Api => {
  const agent = new Agent({ ca: server.ca, keepAlive: true });

  const send = (method: string, path: string, { body, type, signal }: Asked): Promise<IncomingMessage> =>
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

  const ask: Api['ask'] = async (method, path, asked = {}) => {
    const response = await send(method, path, asked);
    const body = parseBody(await read(response), response);
    return { status: response.statusCode ?? 0, body, warnings: warningsOf(response) };
  };
  const must = async <Body>(method: string, path: string, asked?: Asked): Promise<Body> => {
    const { status, body } = await ask(method, path, asked);
    if (status >= 300) throw new ApiError(`${method} ${path}`, status, messageOf(body));
    return body as Body;
  };
  const tryCreate: Api['tryCreate'] = (object, query = '') =>
    ask('POST', `${collectionOf(object)}${query}`, { body: object });

  async function* watch<Watched>(
    path: string,
    from: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<Watched> & { readonly version: string }> {
    const mark = path.includes('?') ? '&' : '?';
    const response = await send('GET', `${path}${mark}watch=true&resourceVersion=${from}`, { signal });
    for await (const line of linesOf(response)) {
      const { type, object } = JSON.parse(line) as WatchEvent<KubernetesObject> | Trouble;
      if (type === 'ERROR') throw new Error(`watch ${path}: ${object.message}`);
      yield { type, object: object as Watched, version: object.metadata.resourceVersion ?? from };
    }
  }

  async function* follow<Watched>(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent<Watched>> {
    const { metadata, items } = await must<Listed<Watched>>('GET', path, { signal });
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
    ask,
    must,
    get: (path, signal) => must('GET', path, signal === undefined ? {} : { signal }),
    async find<Body>(path: string) {
      const { status, body } = await ask('GET', path);
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
      must('PATCH', path, { body, type: `application/${type}-patch+json` }),
    async remove(path, { gracePeriodSeconds = 0 } = {}) {
      const { status, body } = await ask('DELETE', path, { body: { gracePeriodSeconds } });
      if (status >= 300 && status !== 404) throw new ApiError(`DELETE ${path}`, status, messageOf(body));
    },
    follow,
  };
};
