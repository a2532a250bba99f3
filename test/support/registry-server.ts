import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../src/image/index.ts';
import { type Account, authorise, type RegistryAuth, tokenAnswer } from './registry-auth.ts';
import { fixturePath, readFixture } from './shared.ts';
import type { PushTarget } from './signing-kit.ts';
import type { Tls } from './tls.ts';

/** One request as it came in. */
export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Takes over a request where it returns true: it has answered, will answer later, or never. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface RegistryOptions {
  readonly tls?: Tls;
  readonly auth?: RegistryAuth;
  /** Milliseconds before each answer. */
  readonly latency?: number;
}

/** A real registry on a port of loopback: the distribution API as far as images are read. */
export interface TestRegistry extends PushTarget {
  /** `127.0.0.1:PORT`, a registry's name in a reference. */
  readonly host: string;
  readonly origin: string;
  /** Everything asked since the start or the last `forget`; token requests too. */
  readonly requests: RegistryRequest[];
  /** Takes effect for the requests that follow; undefined: none. */
  fault: Fault | undefined;
  /** Serves a cosign vector, `referrers/s01-legacy-notlog`, as the repository of its last name. */
  loadVector(vector: string): string;
  pushBlob(repository: string, bytes: Uint8Array): void;
  pushManifest(repository: string, tag: string | undefined, bytes: Uint8Array, mediaType: string): void;
  untag(repository: string, tag: string): void;
  forget(): void;
  close(): Promise<void>;
}

interface Stored {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

interface Repository {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, Stored>;
  readonly tags: Map<string, string>;
  readonly referrersApi: boolean;
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

const ROUTE = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/;

const sendError = (response: ServerResponse, status: number, code: string): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
};

const sendStored = (
  request: IncomingMessage,
  response: ServerResponse,
  { digest, bytes, mediaType }: Stored,
): void => {
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': bytes.length,
    'docker-content-digest': digest,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
};

const referrersOf = ({ manifests }: Repository, digest: string): Stored => {
  const found = [...manifests.values()].flatMap((stored) => {
    const document = JSON.parse(Buffer.from(stored.bytes).toString()) as {
      subject?: { digest?: string };
      artifactType?: string;
    };
    return document.subject?.digest === digest
      ? [
          {
            mediaType: stored.mediaType,
            digest: stored.digest,
            size: stored.bytes.length,
            artifactType: document.artifactType,
          },
        ]
      : [];
  });
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: found }));
  return { digest: digestOf(bytes), bytes, mediaType };
};

const FIND: Readonly<Record<string, (repository: Repository, at: string) => Stored | undefined>> = {
  blobs({ blobs }, digest) {
    const bytes = blobs.get(digest);
    return bytes === undefined ? undefined : { digest, bytes, mediaType: 'application/octet-stream' };
  },
  referrers: (repository, digest) => (repository.referrersApi ? referrersOf(repository, digest) : undefined),
  manifests: ({ manifests, tags }, at) => manifests.get(tags.get(at) ?? at),
};
/** The error codes of what is not there (distribution-spec, "Error Codes"). */
const MISSING: Readonly<Record<string, string>> = {
  blobs: 'BLOB_UNKNOWN',
  manifests: 'MANIFEST_UNKNOWN',
};

/** Starts a registry that listens before this resolves. */
export const startRegistry = async (options: RegistryOptions = {}): Promise<TestRegistry> => {
  const repositories = new Map<string, Repository>();
  const requests: RegistryRequest[] = [];
  const repositoryOf = (name: string): Repository => {
    const known = repositories.get(name);
    if (known !== undefined) return known;
    const made: Repository = { blobs: new Map(), manifests: new Map(), tags: new Map(), referrersApi: true };
    repositories.set(name, made);
    return made;
  };

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const [, name = '', kind, at = ''] = ROUTE.exec(request.url ?? '') ?? [];
    const repository = repositories.get(name);
    if (kind === undefined) return sendError(response, 404, 'NOT_FOUND');
    if (repository === undefined) return sendError(response, 404, 'NAME_UNKNOWN');
    const stored = FIND[kind]?.(repository, at);
    return stored === undefined
      ? sendError(response, 404, MISSING[kind] ?? 'NOT_FOUND')
      : sendStored(request, response, stored);
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (registry.fault?.(request, response) === true) return;
    const { auth } = options;
    if (auth?.kind === 'token' && request.url?.startsWith('/token') === true)
      return tokenAnswer(auth, request, response);
    if (auth !== undefined && !authorise(auth, registry.origin, request, response)) return;
    serve(request, response);
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push({
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
    });
    if (options.latency === undefined) answer(request, response);
    else setTimeout(() => answer(request, response), options.latency);
  };

  const server: Server =
    options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const registry: TestRegistry = {
    host,
    origin: `${options.tls === undefined ? 'http' : 'https'}://${host}`,
    requests,
    fault: undefined,
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
    forget: () => void requests.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return registry;
};

export type { Account, RegistryAuth };
