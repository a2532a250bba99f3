import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { createRepository, type Digest, digestOf } from '../../src/image/index.ts';
import type { LookUp } from '../../src/registry/http/addresses.ts';
import {
  createRegistries,
  type Manifest,
  type RegistriesOptions,
  type RegistryLimits,
  type RegistrySettings,
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
 * A registry that listens on loopback and someone who asks it, with time in the test's hands.
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

/** Closes at the end of the test. */
export const closeAfterTest = <T extends { close(): Promise<void> }>(what: T): T => {
  opened.push(() => what.close());
  return what;
};

/** A registry that is closed at the end of the test. */
export const startTestRegistry = async (options: RegistryOptions = {}): Promise<TestRegistry> =>
  closeAfterTest(await startRegistry(options));

/** Asks one repository; every question has five seconds unless it brings its own time. */
export interface RepositoryClient {
  resolve(tag?: string, signal?: AbortSignal): Promise<Digest | undefined>;
  manifest(signal?: AbortSignal): Promise<Manifest | undefined>;
  tagged(tag?: string, signal?: AbortSignal): Promise<Manifest | undefined>;
  blob(signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** Requests counted for these questions. */
  requests(): number;
  readonly id: string;
}

const defaultDeadline = (): AbortSignal => AbortSignal.timeout(5000);

export interface Client {
  /** Milliseconds; the test moves it. */
  time: number;
  repository(path?: string): RepositoryClient;
}

/** How someone asks: the registry's own settings, and what a process has. */
export type ClientOptions = Omit<Partial<RegistrySettings>, 'pullSecrets'> &
  Pick<RegistriesOptions, 'lookUp' | 'proxy' | 'pullSecrets' | 'helpers' | 'environment'> & {
    readonly limits?: Partial<RegistryLimits>;
    /** The pull secrets that the registry names; `pullSecrets` is the cluster that has them. */
    readonly secrets?: RegistrySettings['pullSecrets'];
    /** Settings of other registries. */
    readonly others?: readonly RegistrySettings[];
  };

/** Someone who asks `host`. */
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
    ...settings
  } = options;
  const surroundings = { lookUp, proxy, pullSecrets, helpers, environment };
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
        Object.entries(surroundings).filter(([, value]) => value !== undefined),
      ) as Partial<RegistriesOptions>),
    }),
  );
  return Object.assign(client, {
    repository(path = PATH): RepositoryClient {
      let requests = 0;
      const source = registries.open(createRepository(host, path), () => {
        requests += 1;
      });
      return {
        resolve: (tag = '1.28.0', signal = defaultDeadline()) => source.resolve(tag, signal),
        manifest: (signal = defaultDeadline()) => source.manifest({ digest: DIGEST }, signal),
        tagged: (tag = '1.28.0', signal = defaultDeadline()) => source.manifest({ tag }, signal),
        blob: (signal = defaultDeadline()) => source.blob(digestOf(BLOB), signal),
        requests: () => requests,
        id: source.id,
      };
    },
  });
};

/** The image every test asks for. */
export const pushTestImage = (registry: TestRegistry, path = PATH): void => {
  registry.pushBlob(path, BLOB);
  registry.pushManifest(path, '1.28.0', MANIFEST, MEDIA_TYPE);
};

/** A directory that is gone at the end of the test. */
export const temporaryDirectory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'sailmark-'));
  closeAfterTest({ close: async () => rmSync(path, { recursive: true }) });
  return path;
};

/** A file of a directory that is gone at the end of the test. */
export const writeJsonFile = (content: unknown): string => {
  const path = join(temporaryDirectory(), 'config.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
};

/** A docker `config.json` with one entry, gone at the end of the test. */
export const writeDockerConfig = (key: string, entry: unknown): string =>
  writeJsonFile({ auths: { [key]: entry } });

/** A resolver that knows these names and no other. */
export const resolverOf =
  (table: Readonly<Record<string, readonly string[]>>): LookUp =>
  async (hostname) =>
    (table[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

export const portOf = ({ host }: { readonly host: string }): string => host.split(':')[1] ?? '';

/** An executable that is run by this Node, gone at the end of the test; the directory it is in comes back. */
export const writeExecutable = (name: string, body: string, into = temporaryDirectory()): string => {
  writeFileSync(join(into, name), `#!${process.execPath}\n${body}\n`, { mode: 0o755 });
  return into;
};

/** A filled registry, and someone who asks it, with `credentials` as its entry in a docker `config.json`. */
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

/** The fault a question ends with; what is no fault fails the test. */
export const faultOf = async (question: Promise<unknown>): Promise<FaultFacts> => {
  try {
    return { code: 'none', asked: true, message: JSON.stringify(await question) };
  } catch (error) {
    if (!(error instanceof SourceFault)) throw error;
    return { code: error.code, asked: error.asked, message: error.message };
  }
};

export const codeOf = async (question: Promise<unknown>): Promise<string> => (await faultOf(question)).code;

/** Answers every request with this. */
export const respondWith =
  (status: number, headers: Readonly<Record<string, string>> = {}, body: string | Uint8Array = ''): Fault =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };

/** Method and path of everything asked. */
export const requestsOf = ({ requests }: TestRegistry): readonly string[] =>
  requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
