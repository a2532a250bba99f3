import { messageOf } from '../base/index.ts';
import type { Config } from './config.ts';
import { defaultConfig } from './default-config.ts';
import { ConfigError } from './problem.ts';
import type { ReadFile } from './readers/read-context.ts';

/**
 * Parses the text of a configuration file, YAML or JSON; `readFile` opens the certificates and credentials it names.
 * Rejects with `ConfigError`, which has every problem at once. Loads the schema and its checker, which a command without
 * a file does not need.
 */
export const parseConfig = async (text: string, readFile: ReadFile): Promise<Config> => {
  const { readConfig } = await import('./readers/read-config.ts');
  return readConfig(text, readFile);
};

const textOf = async (path: string, readFile: ReadFile): Promise<string> => {
  try {
    return await readFile(path);
  } catch (error) {
    const message = `cannot read ${path}: ${messageOf(error)}`;
    throw new ConfigError([{ path: '', message }]);
  }
};

/** Returns the configuration of the file at `path`, or the defaults without a path. Rejects with `ConfigError`. */
export const loadConfig = async (from: {
  readonly path?: string | undefined;
  readonly readFile: ReadFile;
}): Promise<Config> =>
  from.path === undefined
    ? defaultConfig
    : parseConfig(await textOf(from.path, from.readFile), from.readFile);
