import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../src/image/index.ts';
import { fixturePath, readFixture } from './fixtures.ts';
import { type Account, authorise, type RegistryAuth, sendToken } from './registry-auth.ts';
import type { PushTarget } from './signing-kit.ts';
import type { Tls } from './tls.ts';

/** One request, as received. */
export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Takes over a request if it returns true: it has responded, will respond later, or never does. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface RegistryOptions {
  readonly tls?: Tls;
  readonly auth?: RegistryAuth;
  /** Milliseconds before each response. */
  readonly latency?: number;
  /** False if the registry has no referrers API. */
  readonly referrersApi?: boolean;
  /** The number of referrers on a page; the `Link` header names the next page. */
  readonly pageSize?: number;
  /** An address of this machine; by default loopback. */
  readonly address?: string;
}

/** A real registry on a port of loopback or of another address: the read half of the distribution API. */
export interface TestRegistry extends PushTarget {
  /** `127.0.0.1:PORT`, the registry in a reference. */
  readonly host: string;
  readonly origin: string;
  /** Every request since the start or the last `clearRequests`, token requests too. */
  readonly requests: RegistryRequest[];
  /** Applies to the requests that follow; undefined if there is none. */
  fault: Fault | undefined;
  /** Milliseconds before each response to the requests that follow. */
  latency: number;
  /** The faults of single repositories, by name: `istio/pilot`. */
  readonly faults: Map<string, Fault>;
  /** Responds as a registry without authentication. */
  readonly serve: Fault;
  /** True if it has the referrers API. Repositories of a vector decide for themselves. */
  referrersApi: boolean;
  /** Serves a cosign vector (`referrers/s01-legacy-notlog`) and returns its repository. */
  loadVector(vector: string): string;
  pushBlob(repository: string, bytes: Uint8Array): void;
  pushManifest(repository: string, tag: string | undefined, bytes: Uint8Array, mediaType: string): void;
  untag(repository: string, tag: string): void;
  clearRequests(): void;
  close(): Promise<void>;
}

interface Stored {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** The `Link` header that names the next page. */
  readonly link?: string;
}

interface Repository {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, Stored>;
  readonly tags: Map<string, string>;
  /** Undefined if the registry's setting applies. */
  readonly referrersApi: boolean | undefined;
}

interface Vector {
  readonly registryMode: 'referrers' | 'fallback';
  readonly repository: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly file: string;
  }[];
  readonly blobs: readonly { readonly digest: string; readonly file: string }[];
}

const ROUTE = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/?]+)(?:\?last=(\d+))?$/;

const sendError = (response: ServerResponse, status: number, code: string): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
};

const sendStored = (
  request: IncomingMessage,
  response: ServerResponse,
  { digest, bytes, mediaType, link }: Stored,
): void => {
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': bytes.length,
    'docker-content-digest': digest,
    ...(link === undefined ? {} : { link }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
};

/** The descriptor of a manifest if it refers to the digest. Tests push anything. */
const referrerTo = (digest: string, { bytes, mediaType, digest: own }: Stored): readonly object[] => {
  const text = Buffer.from(bytes).toString();
  if (!text.includes('"subject"')) return [];
  const { subject, artifactType } = JSON.parse(text) as {
    subject?: { digest?: string };
    artifactType?: string;
  };
  return subject?.digest === digest ? [{ mediaType, digest: own, size: bytes.length, artifactType }] : [];
};

const INDEX = 'application/vnd.oci.image.index.v1+json';

/** One page of the referrers, from the position in the request's `last`. */
const referrersOf = (
  { manifests }: Repository,
  { name, at: digest, last, pageSize }: ParsedRequest & { readonly pageSize: number },
): Stored => {
  const all = [...manifests.values()].flatMap((stored) => referrerTo(digest, stored));
  const end = last + pageSize;
  const page = { schemaVersion: 2, mediaType: INDEX, manifests: all.slice(last, end) };
  const bytes = Buffer.from(JSON.stringify(page));
  const link = `</v2/${name}/referrers/${digest}?last=${end}>; rel="next"`;
  return { digest: digestOf(bytes), bytes, mediaType: INDEX, ...(end < all.length ? { link } : {}) };
};

/** The parts of a request's path. */
interface ParsedRequest {
  readonly name: string;
  readonly at: string;
  readonly last: number;
}

const findStored = (
  kind: string,
  repository: Repository,
  {
    parsed,
    referrersApi,
    pageSize,
  }: { readonly parsed: ParsedRequest; readonly referrersApi: boolean; readonly pageSize: number },
): Stored | undefined => {
  const { blobs, manifests, tags } = repository;
  const { at } = parsed;
  if (kind === 'manifests') return manifests.get(tags.get(at) ?? at);
  if (kind === 'referrers')
    return (repository.referrersApi ?? referrersApi)
      ? referrersOf(repository, { ...parsed, pageSize })
      : undefined;
  const bytes = blobs.get(at);
  return bytes === undefined ? undefined : { digest: at, bytes, mediaType: 'application/octet-stream' };
};

/** The error codes for missing content (distribution-spec, "Error Codes"). */
const MISSING: Readonly<Record<string, string>> = {
  blobs: 'BLOB_UNKNOWN',
  manifests: 'MANIFEST_UNKNOWN',
};

/** Starts a registry. It listens when this resolves. */
export const startRegistry = async (options: RegistryOptions = {}): Promise<TestRegistry> => {
  const repositories = new Map<string, Repository>();
  const requests: RegistryRequest[] = [];
  const repositoryOf = (name: string): Repository => {
    const known = repositories.get(name);
    if (known !== undefined) return known;
    const made: Repository = {
      blobs: new Map(),
      manifests: new Map(),
      tags: new Map(),
      referrersApi: undefined,
    };
    repositories.set(name, made);
    return made;
  };

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const [, name = '', kind, at = '', last = '0'] = ROUTE.exec(request.url ?? '') ?? [];
    const repository = repositories.get(name);
    if (kind === undefined) return sendError(response, 404, 'NOT_FOUND');
    if (repository === undefined) return sendError(response, 404, 'NAME_UNKNOWN');
    const parsed = { name, at, last: Number(last) };
    const { referrersApi } = registry;
    const { pageSize = Number.POSITIVE_INFINITY } = options;
    const stored = findStored(kind, repository, { parsed, referrersApi, pageSize });
    return stored === undefined
      ? sendError(response, 404, MISSING[kind] ?? 'NOT_FOUND')
      : sendStored(request, response, stored);
  };

  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    const [, name = ''] = ROUTE.exec(request.url ?? '') ?? [];
    const faults = [registry.fault, registry.faults.get(name)];
    if (faults.some((fault) => fault?.(request, response) === true)) return;
    const { auth } = options;
    if (auth?.kind === 'token' && request.url?.startsWith('/token') === true)
      return sendToken(auth, request, response);
    if (auth !== undefined && !authorise(auth, registry.origin, request, response)) return;
    serve(request, response);
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push({
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
    });
    const { latency } = registry;
    if (latency === 0) respond(request, response);
    else setTimeout(() => respond(request, response), latency);
  };

  const server: Server =
    options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  const { address = '127.0.0.1' } = options;
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const host = `${address}:${(server.address() as AddressInfo).port}`;

  const registry: TestRegistry = {
    host,
    origin: `${options.tls === undefined ? 'http' : 'https'}://${host}`,
    requests,
    fault: undefined,
    latency: options.latency ?? 0,
    faults: new Map(),
    serve(request, response) {
      serve(request, response);
      return true;
    },
    referrersApi: options.referrersApi ?? true,
    loadVector(vector) {
      const index = readFixture<Vector>('cosign', vector, 'index.json');
      const read = (file: string): Buffer => readFileSync(fixturePath('cosign', vector, file));
      repositories.set(index.repository, {
        blobs: new Map(index.blobs.map(({ digest, file }) => [digest, read(file)])),
        manifests: new Map(
          index.manifests.map(({ digest, mediaType, file }) => [
            digest,
            { digest, mediaType, bytes: read(file) },
          ]),
        ),
        tags: new Map(Object.entries(index.tags)),
        referrersApi: index.registryMode === 'referrers',
      });
      return index.repository;
    },
    pushBlob: (name, bytes) => void repositoryOf(name).blobs.set(digestOf(bytes), bytes),
    pushManifest(name, tag, bytes, mediaType) {
      const digest = digestOf(bytes);
      repositoryOf(name).manifests.set(digest, { digest, bytes, mediaType });
      if (tag !== undefined) repositoryOf(name).tags.set(tag, digest);
    },
    untag: (name, tag) => void repositoryOf(name).tags.delete(tag),
    clearRequests: () => void requests.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return registry;
};

export type { Account, RegistryAuth };
