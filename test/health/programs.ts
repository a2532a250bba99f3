import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const pathOf = (name: 'PROMETHEUS' | 'PROMTOOL'): string => {
  const path = process.env[name];
  if (path === undefined) throw new Error(`${name} is not set: these tests are run by .ci/health`);
  return path;
};

/** The path of the real Prometheus. */
export const prometheusPath = (): string => pathOf('PROMETHEUS');

/** Runs promtool. Resolves with its exit code and all that it printed. */
export const promtool = async (
  arguments_: readonly string[],
  input = '',
): Promise<{ readonly code: number; readonly output: string }> => {
  const running = run(pathOf('PROMTOOL'), [...arguments_], { maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.on('error', () => undefined).end(input);
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
};
