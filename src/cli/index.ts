import { messageOf, UserError } from '../base/index.ts';
import { checkOperands, parseArguments } from './command-line/arguments.ts';
import { type Io, UsageError } from './command-line/command.ts';
import { describeCommand, describeGroup, describeProgram } from './command-line/help.ts';
import { suggest } from './command-line/suggest.ts';
import type { CommandEntry } from './completion/model.ts';

export type { Io } from './command-line/command.ts';

/** A command is imported only when it runs: printing a version does not need most of the program. */
const ENTRIES: readonly CommandEntry[] = [
  { name: 'verify', summary: 'verify the signatures of images', load: () => import('./verify/verify.ts') },
  {
    name: 'verify-blob',
    summary: 'verify the signature of a file',
    load: () => import('./verify-blob/verify-blob.ts'),
  },
  {
    name: 'review',
    summary: 'show how the webhook would respond to manifests',
    load: () => import('./review/review.ts'),
  },
  {
    name: 'scan',
    summary: 'show what would be refused in a running cluster',
    load: () => import('./scan/scan.ts'),
  },
  { name: 'serve', summary: 'run the admission webhook', load: () => import('./serve.ts') },
  {
    name: 'evidence pull',
    summary: 'verify images and store their evidence in a directory',
    load: () => import('./evidence/pull.ts'),
  },
  {
    name: 'evidence list',
    summary: 'list the images in an evidence directory',
    load: () => import('./evidence/list.ts'),
  },
  { name: 'keys', summary: 'show the key ring', load: () => import('./keys.ts') },
  {
    name: 'check-config',
    summary: 'check a configuration and print it with all defaults',
    load: () => import('./check-config.ts'),
  },
  {
    name: 'match-conditions',
    summary: "print the webhook's match conditions",
    load: () => import('./match-conditions.ts'),
  },
  {
    name: 'explain',
    summary: 'explain a reason: what it means and what to do',
    load: () => import('./explain/explain.ts'),
  },
  {
    name: 'completion',
    summary: 'print a script that completes command lines in a shell',
    load: async () => {
      const { createCommand } = await import('./completion/completion.ts');
      return { command: createCommand(ENTRIES) };
    },
  },
  {
    name: 'version',
    summary: 'print the version, Node.js version and commit',
    load: () => import('./version.ts'),
  },
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

/** The entry whose name begins a command line, and the arguments after it. A name may be two words. */
const findEntry = (
  argv: readonly string[],
): { readonly entry: CommandEntry; readonly rest: readonly string[] } | undefined => {
  for (const words of [2, 1]) {
    const entry = ENTRIES.find(({ name }) => name === argv.slice(0, words).join(' '));
    if (entry !== undefined) return { entry, rest: argv.slice(words) };
  }
  return undefined;
};

/** The commands whose names begin with the word of a command line: `evidence`. */
const findGroup = ([name = '']: readonly string[]): readonly CommandEntry[] =>
  ENTRIES.filter((entry) => entry.name.startsWith(`${name} `));

const isHelp = (word: string | undefined): boolean => word === 'help' || word === '--help' || word === '-h';

const help = async (argv: readonly string[], io: Io): Promise<number> => {
  const match = findEntry(argv);
  if (match !== undefined) return runCommand(match.entry, ['--help'], io);
  const [name = ''] = argv;
  const group = argv.length === 1 ? findGroup(argv) : [];
  if (group.length > 0) {
    io.stdout.write(describeGroup(name, group));
    return 0;
  }
  if (argv.length > 0) throw new UsageError(unknownCommand(argv));
  io.stdout.write(describeProgram(ENTRIES));
  return 0;
};

const unknownCommand = ([name = '', second]: readonly string[]): string => {
  const names = ENTRIES.map((entry) => entry.name);
  const subcommands = findGroup([name]).map((entry) => entry.name);
  if (subcommands.length === 0) return `unknown command ${JSON.stringify(name)}.${suggest(name, names)}`;
  const problem = second === undefined ? 'needs a subcommand' : `has no subcommand ${JSON.stringify(second)}`;
  return `${name} ${problem}: use ${subcommands.map((command) => `sailmark ${command}`).join(' or ')}.`;
};

const dispatch = async (argv: readonly string[], io: Io): Promise<number> => {
  const [name, ...others] = argv;
  if (name === undefined) {
    io.stderr.write(describeProgram(ENTRIES));
    return 1;
  }
  if (isHelp(name)) return help(others, io);
  if (others.length === 1 && isHelp(others[0]) && findGroup(argv).length > 0) return help([name], io);
  const match = findEntry(name === '--version' ? ['version', ...others] : argv);
  if (match === undefined) throw new UsageError(unknownCommand(argv));
  return runCommand(match.entry, match.rest, io);
};

/** The message of an error that a user is meant to read; the stack of any other error. */
const describeError = (error: unknown): string => {
  if (error instanceof UserError || !(error instanceof Error)) return messageOf(error);
  return error.stack ?? error.message;
};

/** Runs a command line (without `node` and the program's path). Resolves to the exit code; never rejects. */
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
