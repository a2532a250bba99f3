import { SourceFault } from '../source.ts';
import type { CredentialSource, Credentials, HelperCredentials } from './credentials.ts';
import { credentialsFor, type DockerConfig, storeHelperFor } from './docker-config.ts';
import { type Environment, runProgram } from './run-program.ts';

/** The time that a helper's credentials are cached: a registry that requires a password requires it with every request. */
const CACHE_MS = 60_000;
/** The message of a helper that has no credentials (docker/docker-credential-helpers, credentials/error.go). */
const NOT_FOUND = /credentials not found/i;
/** The user name of an identity token (docker/cli, config/credentials/native_store.go). */
const TOKEN_USER = '<token>';

const faultOf = (helper: string, problem: string): SourceFault => {
  const detail = `the credential helper docker-credential-${helper} ${problem}; check the output of its get command, or use another docker config`;
  return new SourceFault('refused', detail, { asked: false });
};

const parseOutput = (output: string): Credentials | undefined => {
  const { Username: username, Secret: secret } = JSON.parse(output) as Record<string, unknown>;
  if (typeof username !== 'string' || typeof secret !== 'string') return undefined;
  return username === TOKEN_USER
    ? { kind: 'identity-token', token: secret }
    : { kind: 'password', username, password: secret };
};

const readOutput = (helper: string, output: string): Credentials => {
  try {
    const credentials = parseOutput(output);
    if (credentials !== undefined) return credentials;
  } catch {
    // The error must not be passed on: it quotes the output, which may be a secret.
  }
  throw faultOf(helper, 'did not return credentials');
};

/** Runs a helper; undefined: it has no credentials. Rejects with a fault that quotes nothing of the program's output. */
const runHelper = async (
  { helper, server }: HelperCredentials,
  environment: Environment,
): Promise<Credentials | undefined> => {
  // A name with a slash would run a program outside PATH.
  if (!/^[\w.-]+$/.test(helper)) throw faultOf(helper, 'has an invalid name');
  const path = `docker-credential-${helper}`;
  const result = await runProgram({ path, args: ['get'], environment, input: server });
  if (result.kind === 'failed') throw faultOf(helper, result.problem);
  if (result.code === 0) return readOutput(helper, result.output);
  if (NOT_FOUND.test(result.output)) return undefined;
  throw faultOf(helper, `failed (exit code ${result.code})`);
};

type RunHelper = (named: HelperCredentials) => Promise<Credentials | undefined>;

/** Caches the credentials of helpers. Concurrent requests share one run. */
const createHelperCache = (environment: Environment, now: () => number): RunHelper => {
  const runs = new Map<string, { until: number; credentials: Promise<Credentials | undefined> }>();
  return (named) => {
    const key = `${named.helper} ${named.server}`;
    const cached = runs.get(key);
    if (cached !== undefined && now() < cached.until) return cached.credentials;
    const start = async (): Promise<Credentials | undefined> => {
      try {
        const credentials = await runHelper(named, environment);
        run.until = now() + CACHE_MS;
        return credentials;
      } catch (error) {
        run.until = 0;
        throw error;
      }
    };
    const run = {
      until: Number.POSITIVE_INFINITY,
      credentials: Promise.resolve<Credentials | undefined>(undefined),
    };
    run.credentials = start();
    runs.set(key, run);
    return run.credentials;
  };
};

/** Finds the helper that a docker `config.json` names for a repository; `credHelpers` precede `credsStore`. */
const findHelper = ({ entries }: DockerConfig, repository: string): HelperCredentials | undefined =>
  credentialsFor(entries, repository).find((credentials) => credentials.kind === 'helper');

/** Names the helpers of a docker `config.json` without running them: a server must not start programs. */
export const createNamedHelpers =
  (read: () => Promise<DockerConfig>): CredentialSource =>
  async (repository) =>
    [findHelper(await read(), repository)].filter((helper) => helper !== undefined);

/**
 * Runs the helpers of a docker `config.json`, `docker-credential-<name> get`, found in `PATH` and with the whole
 * environment, as Docker does. The store is also asked for hosts that the file does not list, because some tools write
 * nothing but the store's name; its failure for such a host is not a fault, because it need not have credentials for it.
 */
export const createRunHelpers = (
  read: () => Promise<DockerConfig>,
  environment: Environment,
  now: () => number,
): CredentialSource => {
  const run = createHelperCache(environment, now);
  const runStore = async (store: HelperCredentials): Promise<Credentials | undefined> => {
    try {
      return await run(store);
    } catch (error) {
      if (!(error instanceof SourceFault)) throw error;
      return store;
    }
  };
  return async (repository) => {
    const config = await read();
    const helper = findHelper(config, repository);
    const store = storeHelperFor(config, repository);
    if (helper === undefined && store === undefined) return [];
    const credentials = helper === undefined ? await runStore(store as HelperCredentials) : await run(helper);
    return credentials === undefined ? [] : [credentials];
  };
};
