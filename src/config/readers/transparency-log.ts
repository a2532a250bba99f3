import { parseTrustedRoot } from '../../verification/index.ts';
import type { Config } from '../config.ts';
import { defaultConfig } from '../default-config.ts';
import type { Note } from '../problem.ts';
import { readText } from './file-text.ts';
import type { FileKeys, ReadContext, ReadFile } from './read-context.ts';

/** Reads a `trusted_root.json`; notes a problem. */
export const readTrustedRoot = async (
  path: string,
  at: string,
  note: Note,
  readFile: ReadFile,
): Promise<Config['trustedRoot']> => {
  const text = await readText(path, at, note, readFile);
  if (text === undefined) return undefined;
  const parsed = parseTrustedRoot(text);
  if (parsed.ok) return { path, logs: parsed.logs };
  note(at, `${path}: ${parsed.problem}`);
  return undefined;
};

/** Reads whether an entry in the transparency log is required, and the logs that count. */
export const readTransparencyLog = async (
  file: FileKeys<'transparencyLog' | 'trustedRoot'>,
  { note, readFile }: ReadContext,
): Promise<Pick<Config, 'transparencyLog' | 'trustedRoot'>> => {
  const { transparencyLog = defaultConfig.transparencyLog, trustedRoot: path } = file;
  if (path === undefined) return { transparencyLog };
  if (transparencyLog === 'ignore')
    note(
      'trustedRoot',
      'has no effect while transparencyLog is ignore: remove it, or set transparencyLog: require',
    );
  const trustedRoot = await readTrustedRoot(path, 'trustedRoot', note, readFile);
  return { transparencyLog, ...(trustedRoot === undefined ? {} : { trustedRoot }) };
};
