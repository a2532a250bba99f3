import { readFile as readBytes } from 'node:fs/promises';
import { messageOf, readTextFile } from '../../base/index.ts';
import { CommandError, type Io } from '../command-line/command.ts';
import { decodeText } from './decode-text.ts';

/** Reads a file that an option or the configuration names, as UTF-8 text. Rejects if it cannot be read or is no regular file. */
export const readFile = (path: string): Promise<string> => readTextFile(path, { fromShell: true });

/** The name of an input in messages: its path, or `standard input` for `-`. */
export const inputName = (path: string): string => (path === '-' ? 'standard input' : path);

const readAll = async (stdin: Io['stdin']): Promise<Uint8Array> => {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  } catch (error) {
    throw new CommandError(`cannot read standard input: ${messageOf(error)}`);
  }
  return Buffer.concat(chunks);
};

/** Reads a file, or standard input for `-`, as text in UTF-8 or UTF-16. Rejects with `CommandError`. */
export const readInput = async (path: string, { stdin }: Io): Promise<string> => {
  if (path !== '-') {
    const bytes = await readBytes(path).catch((error: unknown) => {
      throw new CommandError(`cannot read ${path}: ${messageOf(error)}`);
    });
    return decodeText(bytes, path);
  }
  return decodeText(await readAll(stdin), inputName(path));
};
