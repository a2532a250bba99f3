import { messageOf } from '../base/index.ts';
import type { Config } from './config.ts';
import { defaultConfig } from './default-config.ts';
import { ConfigError } from './problem.ts';
import type { ReadFile } from './readers/read-context.ts';

/**
 * Reads the text of a configuration file, YAML or JSON; `readFile` opens the certificates and credentials it names.
 * Rejects with `ConfigError`, which has every problem at once. The schema and its checker are loaded here and no
 * earlier: a command without a file does without them.
 */
export const parseConfig = async (text: string, readFile: ReadFile): Promise<Config> => {
  const { readConfig } = await import('./readers/read-config.ts');
  return readConfig(text, readFile);
};

const textOf = async (path: string, readFile: ReadFile): Promise<string> => {
  try {
    return await readFile(path);
  } catch (error) {
    const message = `${path} cannot be read: ${messageOf(error)}`;
    throw new ConfigError([{ path: '', message }]);
  }
};

/** The configuration of the file at `path`, or the defaults where none is named. Rejects with `ConfigError`. */
export const loadConfig = async (from: {
  readonly path?: string | undefined;
  readonly readFile: ReadFile;
}): Promise<Config> =>
  from.path === undefined
    ? defaultConfig
    : parseConfig(await textOf(from.path, from.readFile), from.readFile);
