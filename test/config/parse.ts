import { type Config, ConfigError, type Problem, parseConfig } from '../../src/config/index.ts';

const HEAD = 'apiVersion: sailmark.dev/v1alpha1\nkind: Configuration\n';

/** Reads files from a table. Any other file does not exist. */
export const filesOf =
  (files: Readonly<Record<string, string>>) =>
  async (path: string): Promise<string> => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return text;
  };

/** Parses a configuration file without its first two lines, `apiVersion` and `kind`. */
export const parse = (text: string, files: Readonly<Record<string, string>> = {}): Promise<Config> =>
  parseConfig(`${HEAD}${text}`, filesOf(files));

const problemsOf = async (parsing: Promise<unknown>): Promise<readonly Problem[]> => {
  const error: unknown = await parsing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error(`not refused: ${String(error)}`);
  return error.problems;
};

/** Resolves with the problems of a text, one line each. Rejects if it is not refused. */
export const refusals = async (
  text: string,
  files: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> =>
  (await problemsOf(parse(text, files))).map(({ path, message }) => `${path}: ${message}`);

export const wholeRefusals = async (text: string): Promise<readonly string[]> =>
  (await problemsOf(parseConfig(text, filesOf({})))).map(({ path, message }) => `${path}: ${message}`);
