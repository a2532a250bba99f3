import { type Flag, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { readInput } from '../shared/input.ts';

export const filenameFlag: Flag = {
  name: 'filename',
  short: 'f',
  value: 'FILE|-',
  help: 'read references from a file or standard input, one a line; lines that begin with # are left out',
};

/** One reference a line; empty lines and those that begin with `#` say nothing. */
const parseList = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** The images that a command line names, and those in the file it names. Rejects with `UsageError` where there is none. */
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
    throw new UsageError(`no image is named: sailmark ${command} IMAGE…, or -f FILE with one a line`);
  return [first, ...others];
};
