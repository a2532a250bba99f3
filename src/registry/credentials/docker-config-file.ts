import { readFile, stat } from 'node:fs/promises';
import { SourceFault } from '../source.ts';
import type { CredentialSource } from './credentials.ts';
import { credentialsFor, type DockerConfig, parseDockerConfig } from './docker-config.ts';

/** Why a text is no docker `config.json`, without a word of what is in it. */
export const configProblem = (error: unknown): string =>
  error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;

/**
 * A docker `config.json` that is read when first needed, and again when it changes; also where it is a link that is set
 * to another file, as the kubelet does with a Secret. Rejects with a fault where it cannot be read or is none.
 */
export const createDockerConfigFile = (path: string): (() => Promise<DockerConfig>) => {
  let seen = '';
  let config: DockerConfig = { entries: [], store: undefined };
  return async () => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version !== seen) config = parseDockerConfig(await readFile(path, 'utf8'));
      seen = version;
      return config;
    } catch (error) {
      const detail = `the registry credentials in ${path} cannot be read: ${configProblem(error)}`;
      throw new SourceFault('refused', detail, { asked: false, cause: error });
    }
  };
};

/** The credentials that a docker `config.json` itself holds. */
export const createFileCredentials =
  (read: () => Promise<DockerConfig>): CredentialSource =>
  async (repository) =>
    credentialsFor((await read()).entries, repository).filter(({ kind }) => kind !== 'helper');
