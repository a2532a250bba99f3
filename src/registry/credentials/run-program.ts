import { spawn } from 'node:child_process';

export interface Program {
  /** An absolute path, or a name that is looked for in the `PATH` of `environment`. */
  readonly path: string;
  readonly args: readonly string[];
  /** All of it: nothing is inherited. */
  readonly environment: Environment;
  /** What it reads on standard input. */
  readonly input: string;
}

export interface ProgramLimits {
  /** Milliseconds. */
  readonly time: number;
  /** Bytes of standard output. */
  readonly output: number;
}

/** The kubelet waits a minute for a plugin; a review cannot. */
const USUAL: ProgramLimits = { time: 10_000, output: 1024 * 1024 };

export type Environment = Readonly<Record<string, string | undefined>>;

/** How a run ended. What a program writes may be a secret, so no sentence quotes it. */
export type ProgramResult =
  | { readonly kind: 'exit'; readonly code: number; readonly output: string }
  /** A sentence without its subject: `is not there`. */
  | { readonly kind: 'failed'; readonly why: string };

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EACCES: 'is not executable',
  ENOEXEC: 'is no program for this machine',
};

const failed = (why: string): ProgramResult => ({ kind: 'failed', why });

/**
 * Runs a program to its end, without a shell. One that takes longer or writes more than it may is killed, and it alone:
 * whatever it started, and whoever holds its output open, is not waited for.
 */
export const runProgram = (
  { path, args, environment, input }: Program,
  limits: ProgramLimits = USUAL,
): Promise<ProgramResult> => {
  const { promise, resolve } = Promise.withResolvers<ProgramResult>();
  const child = spawn(path, args, { env: { ...environment }, stdio: ['pipe', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  let size = 0;
  const end = (ending: ProgramResult): void => {
    clearTimeout(clock);
    child.kill('SIGKILL');
    child.stdout.destroy();
    resolve(ending);
  };
  const clock = setTimeout(() => end(failed(`did not end within ${limits.time} ms`)), limits.time);
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.output) end(failed(`wrote more than ${limits.output} bytes`));
    else chunks.push(chunk);
  });
  child.on('error', (error: NodeJS.ErrnoException) =>
    end(failed(WHY[error.code ?? ''] ?? `cannot be run (${error.code ?? 'unknown'})`)),
  );
  child.on('close', (code, signal) =>
    end(
      code === null
        ? failed(`was ended by ${signal ?? 'a signal'}`)
        : { kind: 'exit', code, output: Buffer.concat(chunks).toString() },
    ),
  );
  // A program need not read what it is told.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return promise;
};
