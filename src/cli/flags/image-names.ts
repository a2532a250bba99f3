import { type Flag, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { readInput } from '../shared/input.ts';

export const filenameFlag: Flag = {
  name: 'filename',
  short: 'f',
  value: 'FILE|-',
  help: 'read image references from a file or standard input, one per line; lines that begin with # are ignored',
};

/** Parses a list of references, one per line; empty lines and lines that begin with `#` are ignored. */
const parseList = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** The images given as arguments, then those in the file of `-f`. Rejects with `UsageError` if there is none. */
export const readImageNames = async (
  flags: Flags,
  operands: readonly string[],
  io: Io,
  command: string,
): Promise<readonly [string, ...string[]]> => {
  const file = flags.text('filename');
  const [first, ...others] = [
    ...operands,
    ...(file === undefined ? [] : parseList(await readInput(file, io))),
  ];
  if (first === undefined)
    throw new UsageError(`no image given: sailmark ${command} IMAGE…, or -f FILE with one image per line`);
  return [first, ...others];
};
