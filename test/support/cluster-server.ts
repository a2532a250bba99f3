import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { discoveryOf, parseApiPath } from './cluster-paths.ts';
import { createTls, type Tls } from './tls.ts';

/*
 * A Kubernetes API server on a port of loopback, limited to what sailmark uses: objects by path with versions, lists in
 * pages, updates that conflict, JSON and merge patches, watches of one object, tokens. Everything else is 404 or 405.
 */

/** A Kubernetes object, or a part of one. */
export type Json = { [name: string]: unknown };

/** One request, as received. */
export interface ClusterRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  /** The parsed body; undefined if there is none. */
  readonly body: unknown;
}

/** Takes over a request if it returns true: it has responded, will respond later, or never does. */
export type ClusterFault = (request: ClusterRequest, response: ServerResponse) => boolean;

export interface TestCluster {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly tls: Tls;
  /** Returns a kubeconfig for this server. */
  kubeconfig(token?: string): string;
  /** Every request since the start or the last `clearRequests`. */
  readonly requests: ClusterRequest[];
  /** The number of TCP connections since the start. */
  connections(): number;
  /** Applies to the requests that follow; undefined if there is none. */
  fault: ClusterFault | undefined;
  /** Bearer tokens that are accepted. */
  tokens: readonly string[];
  /** Called after each write. */
  onWrite: ((path: string) => void) | undefined;
  get(path: string): Json | undefined;
  /** Creates or replaces an object, as another client would. */
  put(path: string, object: Json): void;
  delete(path: string): void;
  /** The number of open watches. */
  watches(): number;
  /** Ends every watch, as the API server does every few minutes. */
  endWatches(): void;
  clearRequests(): void;
  close(): Promise<void>;
}

export const secretPath = (namespace: string, name: string): string =>
  `/api/v1/namespaces/${namespace}/secrets/${name}`;
export const configMapPath = (namespace: string, name: string): string =>
  `/api/v1/namespaces/${namespace}/configmaps/${name}`;
export const podPath = (namespace: string, name: string): string =>
  `/api/v1/namespaces/${namespace}/pods/${name}`;
export const webhookPath = (name: string, kind: 'validating' | 'mutating' = 'validating'): string =>
  `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/${name}`;
export const eventPath = (namespace: string, name: string): string =>
  `/apis/events.k8s.io/v1/namespaces/${namespace}/events/${name}`;

/** A Secret with these texts, encoded. */
export const secretOf = (data: Readonly<Record<string, string>>, metadata: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'Opaque',
  metadata,
  data: Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  ),
});

/** A ValidatingWebhookConfiguration with an entry for each name. */
export const webhooksOf = (...names: readonly string[]): Json => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: {},
  webhooks: names.map((name) => ({
    name,
    clientConfig: { service: { name: 'sailmark', namespace: 'sailmark', path: `/validate/${name}` } },
    failurePolicy: 'Ignore',
  })),
});

/** Responds with a `Status`, as the API server does when it refuses. */
export const refuse =
  (code: number, message: string, headers: Readonly<Record<string, string>> = {}): ClusterFault =>
  (_request, response) => {
    send(response, code, statusOf(code, message), headers);
    return true;
  };

/** Never responds. */
export const hang: ClusterFault = () => true;

/** TCP connections by the client's port. TLS sockets hide them, and only a TCP connection can be reset. */
const sockets = new Map<number | undefined, Socket>();

/** Resets the connection of the request. */
export const reset: ClusterFault = (_request, response) => {
  sockets.get(response.socket?.remotePort)?.resetAndDestroy();
  return true;
};

/** Responds with 200 and a body that is not JSON. */
export const sendBrokenJson: ClusterFault = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"kind": "Secr');
  return true;
};

/** Applies a fault to the first `count` requests that match. */
export const firstOnly = (
  count: number,
  trouble: ClusterFault,
  matches: (request: ClusterRequest) => boolean = () => true,
): ClusterFault => {
  let left = count;
  return (request, response) => {
    if (left === 0 || !matches(request)) return false;
    left -= 1;
    return trouble(request, response);
  };
};

const statusOf = (code: number, message: string): Json => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  message,
  code,
});

const send = (
  response: ServerResponse,
  code: number,
  body: Json,
  headers: Readonly<Record<string, string>> = {},
): void => {
  response.writeHead(code, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body));
};

class Refused extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const metadataOf = (object: Json): Json => (isObject(object['metadata']) ? object['metadata'] : {});

/** Applies `fieldSelector=status.phase!=X,…` and `labelSelector=NAME=VALUE`; there are no other selectors. */
const isSelected = (object: Json, { fieldSelector, labelSelector }: ClusterRequest['query']): boolean => {
  const phase = isObject(object['status']) ? object['status']['phase'] : undefined;
  if ((fieldSelector ?? '').split(',').includes(`status.phase!=${String(phase)}`)) return false;
  if (labelSelector === undefined) return true;
  const [name = '', value] = labelSelector.split('=');
  const { labels } = metadataOf(object);
  return isObject(labels) && labels[name] === value;
};

const stepInto = (from: unknown, key: string): unknown => (isObject(from) ? from[key] : undefined);

/** Applies a JSON Patch (RFC 6902): `test`, `add` and `remove` of members. */
const applyJsonPatch = (object: Json, patch: unknown): Json => {
  const patched = structuredClone(object);
  for (const { op, path, value } of patch as { op: string; path: string; value?: unknown }[]) {
    const keys = path
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() as string;
    const parent = keys.reduce(stepInto, patched as unknown);
    if (!isObject(parent)) throw new Refused(422, `there is no ${path}`);
    if (op === 'add') parent[last] = value;
    else if (op === 'remove') delete parent[last];
    else if (op !== 'test' || JSON.stringify(parent[last]) !== JSON.stringify(value))
      throw new Refused(422, `testing value ${path} failed`);
  }
  return patched;
};

/** Applies a JSON Merge Patch (RFC 7386). */
const applyMergePatch = (object: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch;
  const merged: Json = isObject(object) ? { ...object } : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete merged[key];
    else merged[key] = applyMergePatch(merged[key], value);
  return merged;
};

/** A change of an object, as a watch reports it. */
interface WatchEvent {
  readonly path: string;
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Json;
}

const createStore = () => {
  const objects = new Map<string, Json>();
  const history: WatchEvent[] = [];
  const watchers = new Map<ServerResponse, string>();
  const publish = (type: WatchEvent['type'], path: string, object: Json): void => {
    history.push({ type, path, version, object });
    for (const [response, watched] of watchers)
      if (watched === path) response.write(`${JSON.stringify({ type, object })}\n`);
  };
  /** Answers a watch of one object: the changes since a version, and those that follow. */
  const watch = ({ path, query }: ClusterRequest, response: ServerResponse): void => {
    const watched = `${path}/${String(query['fieldSelector']).replace('metadata.name=', '')}`;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const { type, object } of history.filter(
      (event) => event.path === watched && event.version > Number(query['resourceVersion']),
    ))
      response.write(`${JSON.stringify({ type, object })}\n`);
    watchers.set(response, watched);
    response.once('close', () => watchers.delete(response));
  };
  const remove = (path: string): void => {
    const object = objects.get(path);
    objects.delete(path);
    version += 1;
    if (object !== undefined) publish('DELETED', path, object);
  };
  let version = 100;
  const write = (path: string, object: Json): Json => {
    version += 1;
    const [namespace, name] = [/\/namespaces\/([^/]+)\//.exec(path)?.[1], path.split('/').at(-1)];
    const metadata = {
      ...metadataOf(object),
      name,
      ...(namespace === undefined ? {} : { namespace }),
      resourceVersion: String(version),
    };
    const stored = { ...structuredClone(object), metadata };
    const type = objects.has(path) ? 'MODIFIED' : 'ADDED';
    objects.set(path, stored);
    publish(type, path, stored);
    return stored;
  };
  const must = (path: string): Json => {
    const found = objects.get(path);
    if (found === undefined) throw new Refused(404, `${path} not found`);
    return found;
  };
  /** Lists the objects of one namespace, or of all: `/api/v1/pods`. */
  const list = (path: string, query: ClusterRequest['query']): Json => {
    const place = path.lastIndexOf('/');
    const pattern = new RegExp(
      `^${path.slice(0, place)}(/namespaces/[^/]+)?${path.slice(place)}/[^/]+$`.replaceAll('.', '\\.'),
    );
    const all = [...objects]
      .filter(([at, object]) => pattern.test(at) && isSelected(object, query))
      .map(([, object]) => object);
    const from = Number(query['continue'] ?? 0);
    const to = from + Number(query['limit'] ?? all.length);
    return {
      kind: 'List',
      apiVersion: 'v1',
      metadata: {
        resourceVersion: String(version),
        ...(to < all.length ? { continue: String(to) } : {}),
        ...(to < all.length && query['fieldSelector'] === undefined
          ? { remainingItemCount: all.length - to }
          : {}),
      },
      items: all.slice(from, to),
    };
  };
  return { objects, watchers, write, remove, must, list, watch };
};

/** Refuses a write for another version than the current one; a write without a version is for any. */
const checkVersion = (before: Json, body: unknown): void => {
  const { resourceVersion } = isObject(body) ? metadataOf(body) : {};
  if (resourceVersion !== undefined && resourceVersion !== metadataOf(before)['resourceVersion'])
    throw new Refused(409, 'the object has been modified; please apply your changes to the latest version');
};

/** True for the path of a collection, false for that of an object. */
const isCollection = (path: string): boolean => {
  const parsed = parseApiPath(path);
  return parsed !== undefined && parsed.name === undefined;
};

const createHandler = (
  {
    objects,
    write,
    remove,
    must,
    list,
  }: Pick<ReturnType<typeof createStore>, 'objects' | 'write' | 'remove' | 'must' | 'list'>,
  onWrite: (path: string) => void,
) => {
  const written = (path: string, object: Json): Json => {
    const stored = write(path, object);
    onWrite(path);
    return stored;
  };
  const verbs: Readonly<Record<string, (request: ClusterRequest) => Json>> = {
    GET: ({ path, query }) => {
      if (isCollection(path)) return list(path, query);
      return path === '/apis' && !objects.has(path) ? (discoveryOf(objects) as Json) : must(path);
    },
    PUT: ({ path, body }) => {
      checkVersion(must(path), body);
      return written(path, body as Json);
    },
    PATCH: ({ path, body, contentType }) => {
      const before = must(path);
      if (contentType === 'application/json-patch+json') return written(path, applyJsonPatch(before, body));
      if (contentType !== 'application/json-patch+json') checkVersion(before, body);
      if (contentType === 'application/merge-patch+json')
        return written(path, applyMergePatch(before, body) as Json);
      throw new Refused(415, 'the body of the request was in an unknown format');
    },
    DELETE: ({ path, body }) => {
      const { uid, resourceVersion } = metadataOf(must(path));
      const { preconditions } = (body ?? {}) as { readonly preconditions?: Json };
      const expected = { uid, resourceVersion, ...preconditions };
      if (expected.uid !== uid || expected.resourceVersion !== resourceVersion)
        throw new Refused(409, 'the preconditions are not met');
      remove(path);
      onWrite(path);
      return statusOf(200, '');
    },
    POST: ({ path, body }) => {
      const at = `${path}/${String(metadataOf(body as Json)['name'])}`;
      if (objects.has(at)) throw new Refused(409, `${at} already exists`);
      const metadata = { uid: randomUUID(), ...metadataOf(body as Json) };
      return written(at, { ...(body as Json), metadata });
    },
  };
  return (request: ClusterRequest): Json => {
    const handle = verbs[request.method];
    if (handle === undefined) throw new Refused(405, 'the server does not allow this method');
    return handle(request);
  };
};

const readRequest = async (incoming: IncomingMessage): Promise<ClusterRequest> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? '/', 'https://cluster.example');
  const text = Buffer.concat(chunks).toString('utf8');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    contentType: incoming.headers['content-type'],
    authorization: incoming.headers.authorization,
    body: text === '' ? undefined : JSON.parse(text),
  };
};

const kubeconfigOf = (origin: string, ca: string, token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: { server: origin, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });

const TOKEN = 'test-token';

/** Starts an API server without objects. */
export const startCluster = async (): Promise<TestCluster> => {
  const tls = createTls();
  const store = createStore();
  const handle = createHandler(store, (path) => cluster.onWrite?.(path));
  let connections = 0;

  const respond = (request: ClusterRequest, response: ServerResponse): void => {
    cluster.requests.push(request);
    if (cluster.fault?.(request, response) === true) return;
    const token = request.authorization?.replace(/^Bearer /, '') ?? '';
    if (!cluster.tokens.includes(token)) send(response, 401, statusOf(401, 'Unauthorized'));
    else if (request.query['watch'] === 'true') store.watch(request, response);
    else
      try {
        send(response, request.method === 'POST' ? 201 : 200, handle(request));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        send(response, error.code, statusOf(error.code, error.message));
      }
  };
  const server = createServer({ cert: tls.cert, key: tls.key }, (incoming, response) => {
    readRequest(incoming).then(
      (request) => respond(request, response),
      () => response.destroy(),
    );
  });
  server.on('connection', (socket) => {
    connections += 1;
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const cluster: TestCluster = {
    origin,
    tls,
    kubeconfig: (token = TOKEN) => kubeconfigOf(origin, tls.ca, token),
    requests: [],
    connections: () => connections,
    fault: undefined,
    tokens: [TOKEN],
    onWrite: undefined,
    get: (path) => store.objects.get(path),
    put: (path, object) => void store.write(path, object),
    delete: store.remove,
    watches: () => store.watchers.size,
    endWatches() {
      for (const response of store.watchers.keys()) response.end();
    },
    clearRequests: () => void cluster.requests.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return cluster;
};
