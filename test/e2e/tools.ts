import { execFile } from 'node:child_process';

/*
 * Programs of other projects. `.ci/e2e` fetches or builds them, and names the path of each in an environment variable.
 * A test whose program has no path fails.
 */

const VARIABLES = {
  'cosign 3': 'COSIGN_3',
  'cosign of Istio 1.31': 'COSIGN_ISTIO',
  'cosign 2': 'COSIGN_2',
  crane: 'CRANE',
  skopeo: 'SKOPEO',
  'docker-registry': 'DOCKER_REGISTRY',
  'referrers-registry': 'REFERRERS_REGISTRY',
  'go-rules': 'GO_RULES',
  'zsh and fish': 'SHELLS_HOME',
} as const;

export type Tool = keyof typeof VARIABLES;

/** Returns the path of a tool. Throws if its variable is not set. */
export const pathOf = (tool: Tool): string => {
  const variable = VARIABLES[tool];
  const path = process.env[variable];
  if (path === undefined || path === '')
    throw new Error(
      `set ${variable} to the path of ${tool}, or run .ci/e2e, which fetches it and sets the variable`,
    );
  return path;
};

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds until it is killed; by default a minute. */
  readonly timeout?: number;
}

/** Runs a program to its end. Rejects if it does not start, or does not end by itself. */
export const runProgram = (
  path: string,
  argv: readonly string[],
  { env, cwd, timeout = 60_000 }: RunOptions = {},
): Promise<ProgramResult> =>
  new Promise((resolve, reject) => {
    const options = {
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 2 ** 20,
      cwd,
      env: { ...process.env, ...env },
    } as const;
    execFile(path, argv, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(new Error(`${path} ${argv.join(' ')}: ${error?.message}: ${stderr}`));
    });
  });

/** Runs a program and resolves with its standard output, trimmed. Rejects unless it exits with 0. */
export const runOrThrow = async (
  path: string,
  argv: readonly string[],
  running?: RunOptions,
): Promise<string> => {
  const { code, stdout, stderr } = await runProgram(path, argv, running);
  if (code !== 0) throw new Error(`${path} ${argv.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout.trim();
};
