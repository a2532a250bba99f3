import { type ChildProcess, spawn } from 'node:child_process';

/** A process that runs beside the test. Disposing of it stops it. */
export interface RunningProcess extends AsyncDisposable {
  readonly pid: number;
  /** Undefined while it runs. */
  readonly exitCode: number | undefined;
  /**
   * Resolves with its exit code, or 128 if a signal ended it, once everything it printed has been read: `output()` is
   * complete then.
   */
  readonly ended: Promise<number>;
  /** The last megabyte of what it printed on both streams. Its last line may be incomplete while it runs. */
  output(): string;
  send(line: string): void;
  signal(name: NodeJS.Signals): void;
  /** Sends SIGTERM, and SIGKILL if it still runs `graceMs` later. Resolves with its exit code. */
  stop(graceMs?: number): Promise<number>;
}

const MAX_OUTPUT_CHARACTERS = 1_000_000;
const EXIT_CODE_OF_SIGNAL = 128;
const DEFAULT_GRACE_MS = 5000;
/** Milliseconds to wait for output after the exit: a child of the process may keep the streams open. */
const OUTPUT_PATIENCE_MS = 1000;

const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.once('error', () => resolve(EXIT_CODE_OF_SIGNAL));
    child.once('close', (code) => resolve(code ?? EXIT_CODE_OF_SIGNAL));
    child.once('exit', (code) => {
      setTimeout(() => resolve(code ?? EXIT_CODE_OF_SIGNAL), OUTPUT_PATIENCE_MS).unref();
    });
  });

/** Starts a program. Throws if it cannot be started. */
export const startProcess = (
  path: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningProcess => {
  const child = spawn(path, argv, { stdio: 'pipe', env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    // Decodes across chunks: a chunk may end within a character.
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARACTERS);
    });
  }
  child.stdin.on('error', () => undefined);
  let exitCode: number | undefined;
  const ended = exitOf(child).then((code) => {
    exitCode = code;
    return code;
  });
  if (child.pid === undefined) throw new Error(`${path} cannot be started`);
  const stop: RunningProcess['stop'] = async (graceMs = DEFAULT_GRACE_MS) => {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
    const code = await ended;
    clearTimeout(kill);
    return code;
  };
  return {
    pid: child.pid,
    get exitCode() {
      return exitCode;
    },
    ended,
    output: () => output,
    send: (line) => void child.stdin.write(`${line}\n`),
    signal: (name) => void child.kill(name),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
};

/**
 * Resolves with what `find` returns for the output, as soon as that is not undefined. Rejects if the process ends
 * first, or after `timeoutMs`; the error carries the end of the output. Does not stop the process.
 */
export const untilOutput = async <Found>(
  running: RunningProcess,
  what: string,
  find: (output: string) => Found | undefined,
  timeoutMs = 15_000,
): Promise<Found> => {
  const end = Date.now() + timeoutMs;
  for (;;) {
    // Read first: a process that ended may have printed it before.
    const { exitCode } = running;
    const found = find(running.output());
    if (found !== undefined) return found;
    const fault =
      exitCode === undefined
        ? Date.now() < end
          ? undefined
          : `within ${timeoutMs} ms`
        : `before exit code ${exitCode}`;
    if (fault !== undefined) throw new Error(`no ${what} ${fault}: ${running.output().slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
