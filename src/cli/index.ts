import { messageOf, UserError } from '../base/index.ts';
import { checkOperands, parseArguments } from './command-line/arguments.ts';
import { type Command, type Io, UsageError } from './command-line/command.ts';
import { describeCommand, describeProgram } from './command-line/help.ts';
import { suggest } from './command-line/suggest.ts';

export type { Io } from './command-line/command.ts';

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Loaded when the command is asked for: most of the program is not needed to print a version. */
  readonly load: () => Promise<{ readonly command: Command }>;
}

const ENTRIES: readonly CommandEntry[] = [
  { name: 'verify', summary: 'verify the signatures of images', load: () => import('./verify/verify.ts') },
  {
    name: 'verify-blob',
    summary: 'verify the signature of a file',
    load: () => import('./verify-blob/verify-blob.ts'),
  },
  {
    name: 'review',
    summary: 'say what the webhook would answer to manifests',
    load: () => import('./review/review.ts'),
  },
  { name: 'serve', summary: 'run the admission webhook', load: () => import('./serve.ts') },
  {
    name: 'evidence pull',
    summary: 'keep what proves images in a directory',
    load: () => import('./evidence/pull.ts'),
  },
  {
    name: 'evidence list',
    summary: 'list what a directory holds evidence of',
    load: () => import('./evidence/list.ts'),
  },
  { name: 'keys', summary: 'show the key ring', load: () => import('./keys.ts') },
  {
    name: 'check-config',
    summary: 'check a configuration and print what it comes to',
    load: () => import('./check-config.ts'),
  },
  {
    name: 'match-conditions',
    summary: "print the webhook's match conditions",
    load: () => import('./match-conditions.ts'),
  },
  { name: 'version', summary: 'print version, Node and commit', load: () => import('./version.ts') },
];

const runCommand = async (entry: CommandEntry, argv: readonly string[], io: Io): Promise<number> => {
  const { command } = await entry.load();
  const { flags, operands } = parseArguments(command, argv);
  if (flags.has('help')) {
    io.stdout.write(describeCommand(command));
    return 0;
  }
  checkOperands(command, operands);
  return command.run(flags, operands, io);
};

/** The entry whose name a command line begins with, and what stands behind it; some names are two words. */
const findEntry = (
  argv: readonly string[],
): { readonly entry: CommandEntry; readonly rest: readonly string[] } | undefined => {
  for (const words of [2, 1]) {
    const entry = ENTRIES.find(({ name }) => name === argv.slice(0, words).join(' '));
    if (entry !== undefined) return { entry, rest: argv.slice(words) };
  }
  return undefined;
};

const help = async (argv: readonly string[], io: Io): Promise<number> => {
  const found = findEntry(argv);
  if (found !== undefined) return runCommand(found.entry, ['--help'], io);
  if (argv.length > 0) throw new UsageError(unknownCommand(argv));
  io.stdout.write(describeProgram(ENTRIES));
  return 0;
};

const unknownCommand = ([name = '', second]: readonly string[]): string => {
  const names = ENTRIES.map((entry) => entry.name);
  const below = names.filter((one) => one.startsWith(`${name} `));
  if (below.length === 0) return `unknown command ${JSON.stringify(name)}.${suggest(name, names)}`;
  const given = second === undefined ? 'is not a command alone' : `has no command ${JSON.stringify(second)}`;
  return `${name} ${given}: there is ${below.map((one) => `sailmark ${one}`).join(' and ')}.`;
};

const dispatch = async (argv: readonly string[], io: Io): Promise<number> => {
  const [name, ...others] = argv;
  if (name === undefined) {
    io.stderr.write(describeProgram(ENTRIES));
    return 1;
  }
  if (name === 'help' || name === '--help' || name === '-h') return help(others, io);
  const found = findEntry(name === '--version' ? ['version', ...others] : argv);
  if (found === undefined) throw new UsageError(unknownCommand(argv));
  return runCommand(found.entry, found.rest, io);
};

/** The message of an error that a user is meant to read; of any other error the stack is needed. */
const describeError = (error: unknown): string => {
  if (error instanceof UserError || !(error instanceof Error)) return messageOf(error);
  return error.stack ?? error.message;
};

/** Runs a command line (without `node` and the program's path) and returns the exit code. Never rejects. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    io.stderr.write(`Error: ${describeError(error)}\n`);
    if (error instanceof UsageError)
      io.stderr.write('`sailmark --help` lists the commands, `sailmark COMMAND --help` the flags.\n');
    return 1;
  }
};
