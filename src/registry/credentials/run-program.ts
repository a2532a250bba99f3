import { spawn } from 'node:child_process';

export interface Program {
  /** An absolute path, or a name to find in the `PATH` of `environment`. */
  readonly path: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly environment: Environment;
  /** The program's standard input. */
  readonly input: string;
}

export interface ProgramLimits {
  /** Milliseconds. */
  readonly time: number;
  /** Bytes of standard output. */
  readonly output: number;
}

/** The kubelet waits a minute for a plugin; a review cannot. */
const DEFAULT_LIMITS: ProgramLimits = { time: 10_000, output: 1024 * 1024 };

export type Environment = Readonly<Record<string, string | undefined>>;

/** The result of a run. A program's output may be a secret, so no problem quotes it. */
export type ProgramResult =
  | { readonly kind: 'exit'; readonly code: number; readonly output: string }
  /** The problem without its subject: `does not exist`. */
  | { readonly kind: 'failed'; readonly problem: string };

const START_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'is not executable',
  ENOEXEC: 'is not a program for this machine',
};

const failed = (problem: string): ProgramResult => ({ kind: 'failed', problem });

/**
 * Runs a program to its end, without a shell. A program that exceeds a limit is killed. Its child processes are neither
 * killed nor waited for, even if they hold its output open.
 */
export const runProgram = (
  { path, args, environment, input }: Program,
  limits: ProgramLimits = DEFAULT_LIMITS,
): Promise<ProgramResult> => {
  const { promise, resolve } = Promise.withResolvers<ProgramResult>();
  const child = spawn(path, args, { env: { ...environment }, stdio: ['pipe', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  let size = 0;
  const end = (result: ProgramResult): void => {
    clearTimeout(timer);
    child.kill('SIGKILL');
    child.stdout.destroy();
    resolve(result);
  };
  const timer = setTimeout(() => end(failed(`did not end within ${limits.time} ms`)), limits.time);
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.output) end(failed(`wrote more than ${limits.output} bytes`));
    else chunks.push(chunk);
  });
  child.on('error', (error: NodeJS.ErrnoException) =>
    end(failed(START_PROBLEMS[error.code ?? ''] ?? `cannot be run (${error.code ?? 'unknown'})`)),
  );
  child.on('close', (code, signal) =>
    end(
      code === null
        ? failed(`was terminated by ${signal ?? 'a signal'}`)
        : { kind: 'exit', code, output: Buffer.concat(chunks).toString() },
    ),
  );
  // A program need not read its input.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return promise;
};
