import { checkOperands, parseArguments, suggest } from './arguments.ts';
import { type Command, type Io, UsageError } from './command.ts';
import { describeCommand, describeProgram } from './help.ts';

export type { Io } from './command.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
  /** Loaded when the command is asked for: most of the program is not needed to print a version. */
  readonly load: () => Promise<{ readonly command: Command }>;
}

const ENTRIES: readonly Entry[] = [
  { name: 'verify', summary: 'verify the signatures of images', load: () => import('./verify.ts') },
  {
    name: 'review',
    summary: 'say what the webhook would answer to manifests',
    load: () => import('./review.ts'),
  },
  { name: 'serve', summary: 'run the admission webhook', load: () => import('./serve.ts') },
  { name: 'keys', summary: 'show the key ring', load: () => import('./keys.ts') },
  {
    name: 'check-config',
    summary: 'check a configuration and print what it comes to',
    load: () => import('./check-config.ts'),
  },
  { name: 'version', summary: 'print version, Node and commit', load: () => import('./version.ts') },
];

const runCommand = async (entry: Entry, argv: readonly string[], io: Io): Promise<number> => {
  const { command } = await entry.load();
  const { flags, operands } = await parseArguments(command, argv);
  if (flags.has('help')) {
    io.stdout.write(describeCommand(command));
    return 0;
  }
  checkOperands(command, operands);
  return command.run(flags, operands, io);
};

const help = async (name: string | undefined, io: Io): Promise<number> => {
  const entry = ENTRIES.find((one) => one.name === name);
  if (entry !== undefined) return runCommand(entry, ['--help'], io);
  if (name !== undefined) throw new UsageError(await unknownCommand(name));
  io.stdout.write(describeProgram(ENTRIES));
  return 0;
};

const unknownCommand = async (name: string): Promise<string> =>
  `unknown command ${JSON.stringify(name)}.${await suggest(
    name,
    ENTRIES.map((entry) => entry.name),
  )}`;

const dispatch = async ([name, ...argv]: readonly string[], io: Io): Promise<number> => {
  if (name === undefined) {
    io.stderr.write(describeProgram(ENTRIES));
    return 1;
  }
  if (name === 'help' || name === '--help' || name === '-h') return help(argv[0], io);
  const entry = ENTRIES.find((one) => one.name === (name === '--version' ? 'version' : name));
  if (entry === undefined) throw new UsageError(await unknownCommand(name));
  return runCommand(entry, argv, io);
};

/** Errors whose message is for the person at the keyboard; of anything else the stack is needed. */
const isExpected = (error: unknown): error is Error =>
  error instanceof Error &&
  ['UsageError', 'ConfigError', 'KeysInvalid', 'CertificateError', 'InputError'].includes(error.name);

/** Runs a command line (without `node` and the program's path) and returns the exit code. Never rejects. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    io.stderr.write(
      `Error: ${isExpected(error) ? error.message : ((error as Error).stack ?? String(error))}\n`,
    );
    if (error instanceof UsageError)
      io.stderr.write('`sailmark --help` lists the commands, `sailmark COMMAND --help` the flags.\n');
    return 1;
  }
};
