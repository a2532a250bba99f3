import { readFile as readBytes } from 'node:fs/promises';
import { messageOf, oneLine, readTextFile } from '../../base/index.ts';
import { CommandError, type Io } from '../command-line/command.ts';
import { decodeText } from './decode-text.ts';

/** Reads a file that an option or the configuration names, as UTF-8 text. Rejects if it cannot be read or is no regular file. */
export const readFile = (path: string): Promise<string> => readTextFile(path, { fromShell: true });

/** Characters: the longest path of Linux. */
const MAX_PATH_LENGTH = 4096;

/** A path in messages: a file's name may hold line breaks, and sequences that a terminal obeys. */
export const printablePath = (path: string): string => oneLine(path, MAX_PATH_LENGTH);

/** The name of an input in messages: its path, or `standard input` for `-`. */
export const inputName = (path: string): string => (path === '-' ? 'standard input' : printablePath(path));

/** The error of an input that cannot be read. */
export const unreadableInput = (path: string, error: unknown): CommandError =>
  new CommandError(
    (error as { readonly code?: unknown } | undefined)?.code === 'EISDIR'
      ? `cannot read ${inputName(path)}: it is a directory`
      : `cannot read ${inputName(path)}: ${oneLine(messageOf(error), 2 * MAX_PATH_LENGTH)}`,
  );

const readAll = async (stdin: Io['stdin']): Promise<Uint8Array> => {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  } catch (error) {
    throw unreadableInput('-', error);
  }
  return Buffer.concat(chunks);
};

/** Reads a file, or standard input for `-`, as text in UTF-8 or UTF-16. Rejects with `CommandError`. */
export const readInput = async (path: string, { stdin }: Io): Promise<string> => {
  if (path !== '-') {
    const bytes = await readBytes(path).catch((error: unknown) => {
      throw unreadableInput(path, error);
    });
    return decodeText(bytes, inputName(path));
  }
  return decodeText(await readAll(stdin), inputName(path));
};
