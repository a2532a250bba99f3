import { parseTrustedRoot } from '../../verification/index.ts';
import type { Config } from '../config.ts';
import type { Note } from '../problem.ts';
import { readText } from './file-text.ts';
import type { ReadContext, ReadFile } from './read-context.ts';

/** A trusted root; a problem is noted. */
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

/** Whether the transparency log is required, and which logs count. */
export const readLog = async ({
  part,
  note,
  readFile,
}: ReadContext): Promise<Pick<Config, 'transparencyLog' | 'trustedRoot'>> => {
  const transparencyLog = part('transparencyLog') ?? 'ignore';
  const path = part('trustedRoot');
  if (path === undefined) return { transparencyLog };
  if (transparencyLog === 'ignore')
    note(
      'trustedRoot',
      'means nothing where transparencyLog is ignore: remove it, or set transparencyLog: require',
    );
  const trustedRoot = await readTrustedRoot(path, 'trustedRoot', note, readFile);
  return { transparencyLog, ...(trustedRoot === undefined ? {} : { trustedRoot }) };
};
