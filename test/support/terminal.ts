import { run } from '../../src/cli/index.ts';

export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, as a shell with no terminal would, and keeps what it prints. */
export const runCli = async (
  argv: readonly string[],
  options: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Printed> => {
  const printed = { stdout: '', stderr: '' };
  const to = (name: keyof typeof printed) => ({
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
    ended: new AbortController().signal,
  });
  return { code, ...printed };
};
