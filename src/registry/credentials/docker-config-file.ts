import { stat } from 'node:fs/promises';
import { readTextFile } from '../../base/index.ts';
import { SourceFault } from '../source.ts';
import type { CredentialSource } from './credentials.ts';
import { credentialsFor, type DockerConfig, parseDockerConfig } from './docker-config.ts';

/** Describes why a docker `config.json` cannot be read, and quotes nothing of it. */
export const configProblem = (error: unknown): string => {
  if (error instanceof SyntaxError) return 'it is not valid JSON';
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EISDIR' ? 'it is a directory; name the file in it' : message;
};

/** Returns why a text is not a docker `config.json`, and quotes nothing of it; undefined: it is one. */
export const dockerConfigProblem = (text: string): string | undefined => {
  try {
    parseDockerConfig(text);
    return undefined;
  } catch (error) {
    return configProblem(error);
  }
};

/**
 * Reads a docker `config.json` when first needed and again when it changes, even if it is a link that is changed to another
 * file, as the kubelet does with a Secret. Rejects with a fault if it cannot be read or is malformed.
 */
export const createDockerConfigFile = (path: string): (() => Promise<DockerConfig>) => {
  let lastVersion = '';
  let config: DockerConfig = { entries: [], store: undefined };
  return async () => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version !== lastVersion) config = parseDockerConfig(await readTextFile(path, { fromShell: true }));
      lastVersion = version;
      return config;
    } catch (error) {
      const detail = `cannot read the registry credentials in ${path}: ${configProblem(error)}`;
      throw new SourceFault('refused', detail, { asked: false, cause: error });
    }
  };
};

/** The credentials in a docker `config.json` itself, without those of helpers. */
export const createFileCredentials =
  (read: () => Promise<DockerConfig>): CredentialSource =>
  async (repository) =>
    credentialsFor((await read()).entries, repository).filter(({ kind }) => kind !== 'helper');
