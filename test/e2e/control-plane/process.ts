import { type ChildProcess, spawn } from 'node:child_process';

/** A process that runs beside the test. */
export interface Running {
  readonly pid: number;
  /** Undefined while it runs. */
  readonly exitCode: number | undefined;
  /** Resolves with its exit code, or 128 and more where a signal ended it. */
  readonly ended: Promise<number>;
  /** The last megabyte of what it printed, both streams. */
  output(): string;
  send(line: string): void;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL where it runs on for `patience` milliseconds. */
  stop(patience?: number): Promise<number>;
}

const KEPT = 1_000_000;
const SIGNALLED = 128;

const endOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.once('error', () => resolve(SIGNALLED));
    child.once('exit', (code) => resolve(code ?? SIGNALLED));
  });

/** Starts a program. Throws where there is none. */
export const startProcess = (
  path: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running => {
  const child = spawn(path, argv, { stdio: 'pipe', env: { ...process.env, ...env } });
  let said = '';
  const keep = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-KEPT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.on('error', () => undefined);
  let exitCode: number | undefined;
  const ended = endOf(child).then((code) => {
    exitCode = code;
    return code;
  });
  if (child.pid === undefined) throw new Error(`${path} cannot be started`);
  return {
    pid: child.pid,
    get exitCode() {
      return exitCode;
    },
    ended,
    output: () => said,
    send: (line) => void child.stdin.write(`${line}\n`),
    signal: (name) => void child.kill(name),
    async stop(patience = 5000) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), patience);
      const code = await ended;
      clearTimeout(late);
      return code;
    },
  };
};
