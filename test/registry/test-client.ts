import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { createRepository, type Digest, digestOf } from '../../src/image/index.ts';
import type { LookUp } from '../../src/registry/http/addresses.ts';
import {
  createRegistries,
  createSourceCaller,
  type Manifest,
  type Registries,
  type RegistriesOptions,
  type RegistryLimits,
  type RegistrySettings,
  type SourceCaller,
  SourceFault,
} from '../../src/registry/index.ts';
import { registryLimits } from '../support/registry-limits.ts';
import {
  type Fault,
  type RegistryOptions,
  startRegistry,
  type TestRegistry,
} from '../support/registry-server.ts';

/*
 * A registry on loopback, and a client of it whose clock the test sets.
 */

export const PATH = 'istio/pilot';
export const MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const MANIFEST = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE, config: {}, layers: [] }),
);
export const DIGEST = digestOf(MANIFEST);
export const BLOB = Buffer.from('signed bytes');
export const BLOB_PATH = `/v2/${PATH}/blobs/${digestOf(BLOB)}`;

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** Closes it when the test ends. */
export const closeAfterTest = <T extends { close(): Promise<void> }>(what: T): T => {
  opened.push(() => what.close());
  return what;
};

/** Starts a registry that is closed when the test ends. */
export const startTestRegistry = async (options: RegistryOptions = {}): Promise<TestRegistry> =>
  closeAfterTest(await startRegistry(options));

/** Reads one repository. Every call has a deadline of five seconds unless it passes a signal. */
export interface RepositoryClient {
  resolve(tag?: string, signal?: AbortSignal): Promise<Digest | undefined>;
  manifest(signal?: AbortSignal): Promise<Manifest | undefined>;
  tagged(tag?: string, signal?: AbortSignal): Promise<Manifest | undefined>;
  blob(signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** The number of requests that were counted for this repository. */
  requests(): number;
  readonly id: string;
}

const defaultDeadline = (): AbortSignal => AbortSignal.timeout(5000);

export interface Client {
  /** The clock, in milliseconds; the test sets it. */
  time: number;
  repository(path?: string, caller?: SourceCaller): RepositoryClient;
  /** A repository of another registry. */
  repositoryAt(host: string): RepositoryClient;
  state: Registries['state'];
}

/** The settings of the registry, and the environment of the process. */
export type ClientOptions = Omit<Partial<RegistrySettings>, 'pullSecrets'> &
  Pick<
    RegistriesOptions,
    'lookUp' | 'proxy' | 'pullSecrets' | 'helpers' | 'environment' | 'defaults' | 'report'
  > & {
    readonly limits?: Partial<RegistryLimits>;
    /** The pull secrets that the registry's settings name; `pullSecrets` reads them. */
    readonly secrets?: RegistrySettings['pullSecrets'];
    /** Settings of other registries. */
    readonly others?: readonly RegistrySettings[];
  };

/** Creates a client of the registry at `host`. */
export const createClient = (host: string, options: ClientOptions = {}): Client => {
  const {
    limits,
    others = [],
    secrets,
    lookUp,
    proxy,
    pullSecrets,
    helpers,
    environment,
    defaults,
    report,
    ...settings
  } = options;
  const processOptions = { lookUp, proxy, pullSecrets, helpers, environment, defaults, report };
  const client = { time: 1_700_000_000_000 };
  const registries = closeAfterTest(
    createRegistries({
      settings: [
        { host, ...settings, ...(secrets === undefined ? {} : { pullSecrets: secrets }) },
        ...others,
      ],
      limits: { ...registryLimits, ...limits },
      now: () => client.time,
      ...(Object.fromEntries(
        Object.entries(processOptions).filter(([, value]) => value !== undefined),
      ) as Partial<RegistriesOptions>),
    }),
  );
  const open = (at: string, path: string, caller: SourceCaller): RepositoryClient => {
    let requests = 0;
    const source = registries.open(createRepository(at, path), {
      ...caller,
      onRequest: () => {
        requests += 1;
      },
    });
    return {
      resolve: (tag = '1.28.0', signal = defaultDeadline()) => source.resolve(tag, signal),
      manifest: (signal = defaultDeadline()) => source.manifest({ digest: DIGEST }, signal),
      tagged: (tag = '1.28.0', signal = defaultDeadline()) => source.manifest({ tag }, signal),
      blob: (signal = defaultDeadline()) => source.blob(digestOf(BLOB), signal),
      requests: () => requests,
      id: source.id,
    };
  };
  return Object.assign(client, {
    repository: (path = PATH, caller = createSourceCaller()) => open(host, path, caller),
    repositoryAt: (at: string) => open(at, PATH, createSourceCaller()),
    state: registries.state,
  });
};

/** Pushes the image that tests read. */
export const pushTestImage = (registry: TestRegistry, path = PATH): void => {
  registry.pushBlob(path, BLOB);
  registry.pushManifest(path, '1.28.0', MANIFEST, MEDIA_TYPE);
};

/** Creates a directory that is removed when the test ends. */
export const temporaryDirectory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'sailmark-'));
  closeAfterTest({ close: async () => rmSync(path, { recursive: true }) });
  return path;
};

/** Writes a JSON file that is removed when the test ends. Returns its path. */
export const writeJsonFile = (content: unknown): string => {
  const path = join(temporaryDirectory(), 'config.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
};

/** Writes a docker `config.json` with one entry. Returns its path. */
export const writeDockerConfig = (key: string, entry: unknown): string =>
  writeJsonFile({ auths: { [key]: entry } });

/** A resolver that resolves only these names. */
export const resolverOf =
  (table: Readonly<Record<string, readonly string[]>>): LookUp =>
  async (hostname) =>
    (table[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

export const portOf = ({ host }: { readonly host: string }): string => host.split(':')[1] ?? '';

/** Writes an executable script for this Node. Returns its directory. */
export const writeExecutable = (name: string, body: string, into = temporaryDirectory()): string => {
  writeFileSync(join(into, name), `#!${process.execPath}\n${body}\n`, { mode: 0o755 });
  return into;
};

/**
 * Starts a registry with the test image, and a client with `credentials` as the registry's entry in a docker
 * `config.json`.
 */
export const startRegistryAndClient = async (
  options: RegistryOptions & {
    readonly client?: ClientOptions;
    readonly credentials?: unknown;
  } = {},
): Promise<{ readonly registry: TestRegistry; readonly client: Client }> => {
  const { client, credentials, ...serving } = options;
  const registry = await startTestRegistry(serving);
  pushTestImage(registry);
  const trust = serving.tls === undefined ? { plainHttp: true } : { ca: serving.tls.ca };
  const known =
    credentials === undefined ? {} : { dockerConfig: writeDockerConfig(registry.host, credentials) };
  return { registry, client: createClient(registry.host, { ...trust, ...known, ...client }) };
};

export interface FaultFacts {
  readonly code: string;
  readonly asked: boolean;
  readonly message: string;
}

/** The fault that a request ends with. Any other error fails the test. */
export const faultOf = async (result: Promise<unknown>): Promise<FaultFacts> => {
  try {
    return { code: 'none', asked: true, message: JSON.stringify(await result) };
  } catch (error) {
    if (!(error instanceof SourceFault)) throw error;
    return { code: error.code, asked: error.asked, message: error.message };
  }
};

export const codeOf = async (result: Promise<unknown>): Promise<string> => (await faultOf(result)).code;

/** Responds to every request like this. */
export const respondWith =
  (status: number, headers: Readonly<Record<string, string>> = {}, body: string | Uint8Array = ''): Fault =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };

/** Method and path of every request. */
export const requestsOf = ({ requests }: TestRegistry): readonly string[] =>
  requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
