import { run } from '../../src/cli/index.ts';

export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Both outputs are a terminal; otherwise neither is. */
  readonly isTTY?: boolean;
  /** What tells the command to end. */
  readonly shutdown?: AbortSignal;
}

/** Runs a command line in this process, as a shell would, and keeps what it prints. */
export const runCli = async (argv: readonly string[], options: CliOptions = {}): Promise<Printed> => {
  const printed = { stdout: '', stderr: '' };
  const to = (name: keyof typeof printed) => ({
    isTTY: options.isTTY,
    write: (text: string): void => {
      printed[name] += text;
    },
  });
  const stdin = (async function* () {
    yield options.stdin ?? '';
  })();
  // No docker configuration of whoever runs the tests.
  const env = { HOME: '/nonexistent', ...options.env };
  const code = await run(argv, {
    stdout: to('stdout'),
    stderr: to('stderr'),
    stdin,
    env,
    takeShutdownSignal: () => options.shutdown ?? new AbortController().signal,
  });
  return { code, ...printed };
};
