import { run } from '../../src/cli/index.ts';

export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** True if standard output and standard error are both a terminal; otherwise neither is. */
  readonly isTTY?: boolean;
  /** The shutdown signal of the command. */
  readonly shutdown?: AbortSignal;
}

/** Runs a command line in this process, as a shell would, and returns its output. */
export const runCli = async (argv: readonly string[], options: CliOptions = {}): Promise<Printed> => {
  const output = { stdout: '', stderr: '' };
  const captureTo = (name: keyof typeof output) => ({
    isTTY: options.isTTY,
    write: (text: string): void => {
      output[name] += text;
    },
  });
  const stdin = (async function* () {
    yield options.stdin ?? '';
  })();
  // Keeps the docker configuration of the current user out of the tests.
  const env = { HOME: '/nonexistent', ...options.env };
  const code = await run(argv, {
    stdout: captureTo('stdout'),
    stderr: captureTo('stderr'),
    stdin,
    env,
    takeShutdownSignal: () => options.shutdown ?? new AbortController().signal,
  });
  return { code, ...output };
};
