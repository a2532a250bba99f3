import { SourceFault } from '../source.ts';
import type { CredentialSource, Credentials, HelperCredentials } from './credentials.ts';
import { credentialsFor, type DockerConfig, storeHelperFor } from './docker-config.ts';
import { type Environment, runProgram } from './run-program.ts';

/** Milliseconds that an answer stands: a registry that wants a password wants it with every question. */
const HELD = 60_000;
/** What `docker-credential-*` programs say where they have nothing (docker/docker-credential-helpers, credentials/error.go). */
const NOT_FOUND = /credentials not found/i;
/** The user name that stands for an identity token (docker/cli, config/credentials/native_store.go). */
const TOKEN_USER = '<token>';

const faultOf = (helper: string, why: string): SourceFault => {
  const detail = `the credential helper docker-credential-${helper} ${why}; see what it answers to get, or name another docker config`;
  return new SourceFault('refused', detail, { asked: false });
};

const parseAnswer = (output: string): Credentials | undefined => {
  const { Username: username, Secret: secret } = JSON.parse(output) as Record<string, unknown>;
  if (typeof username !== 'string' || typeof secret !== 'string') return undefined;
  return username === TOKEN_USER
    ? { kind: 'identity-token', token: secret }
    : { kind: 'password', username, password: secret };
};

const readAnswer = (helper: string, output: string): Credentials => {
  try {
    const credentials = parseAnswer(output);
    if (credentials !== undefined) return credentials;
  } catch {
    // Not the error itself: it quotes what it could not read.
  }
  throw faultOf(helper, 'does not answer with credentials');
};

/** Asks a helper; undefined: it has none. Rejects with a fault that quotes nothing of what the program wrote. */
const askHelper = async (
  { helper, server }: HelperCredentials,
  environment: Environment,
): Promise<Credentials | undefined> => {
  // A name with a slash in it would be another program than one of these.
  if (!/^[\w.-]+$/.test(helper)) throw faultOf(helper, 'has no name that a program can have');
  const path = `docker-credential-${helper}`;
  const ending = await runProgram({ path, args: ['get'], environment, input: server });
  if (ending.kind === 'failed') throw faultOf(helper, ending.why);
  if (ending.code === 0) return readAnswer(helper, ending.output);
  if (NOT_FOUND.test(ending.output)) return undefined;
  throw faultOf(helper, `fails (exit code ${ending.code})`);
};

type AskHelper = (named: HelperCredentials) => Promise<Credentials | undefined>;

/** Asks a helper once for all who wait, and for a while after. */
const createAskHelper = (environment: Environment, now: () => number): AskHelper => {
  const held = new Map<string, { until: number; answer: Promise<Credentials | undefined> }>();
  return (named) => {
    const key = `${named.helper} ${named.server}`;
    const known = held.get(key);
    if (known !== undefined && now() < known.until) return known.answer;
    const ask = async (): Promise<Credentials | undefined> => {
      try {
        const answer = await askHelper(named, environment);
        flight.until = now() + HELD;
        return answer;
      } catch (error) {
        flight.until = 0;
        throw error;
      }
    };
    const flight = {
      until: Number.POSITIVE_INFINITY,
      answer: Promise.resolve<Credentials | undefined>(undefined),
    };
    flight.answer = ask();
    held.set(key, flight);
    return flight.answer;
  };
};

/** The helper that a docker `config.json` names for a repository; `credHelpers` before `credsStore`. */
const namedFor = ({ entries }: DockerConfig, repository: string): HelperCredentials | undefined =>
  credentialsFor(entries, repository).find((one) => one.kind === 'helper');

/** Names the helpers of a docker `config.json` and runs none: a server has no desktop, and no business to start programs. */
export const createNamedHelpers =
  (read: () => Promise<DockerConfig>): CredentialSource =>
  async (repository) =>
    [namedFor(await read(), repository)].filter((one) => one !== undefined);

/**
 * Runs the helpers of a docker `config.json`, `docker-credential-<name> get`, found in `PATH` and with the whole
 * environment, as Docker does. The store is also asked for hosts that the file says nothing of, as some are the file's
 * only word; one that then fails is no fault, since nobody said that it has something.
 */
export const createRunHelpers = (
  read: () => Promise<DockerConfig>,
  environment: Environment,
  now: () => number,
): CredentialSource => {
  const ask = createAskHelper(environment, now);
  const askStore = async (store: HelperCredentials): Promise<Credentials | undefined> => {
    try {
      return await ask(store);
    } catch (error) {
      if (!(error instanceof SourceFault)) throw error;
      return store;
    }
  };
  return async (repository) => {
    const config = await read();
    const named = namedFor(config, repository);
    const store = storeHelperFor(config, repository);
    if (named === undefined && store === undefined) return [];
    const found = named === undefined ? await askStore(store as HelperCredentials) : await ask(named);
    return found === undefined ? [] : [found];
  };
};
