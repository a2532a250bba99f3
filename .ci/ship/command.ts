import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A reason not to release, in one sentence: nothing was published. */
export class Refusal extends Error {}

/** Returns the message of what was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns the last line of an error, in which programs say what was wrong. */
export const lastLineOf = (error: unknown): string => messageOf(error).trimEnd().split('\n').at(-1) ?? '';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

interface Failed {
  readonly status?: number | null;
  readonly stderr?: string;
}

/**
 * Runs a program to its end and returns its standard output. Throws an error with the last lines that it wrote to standard error
 * unless it exits with 0.
 */
export const run = (program: string, argv: readonly string[], options: RunOptions = {}): string => {
  try {
    return execFileSync(program, argv, {
      encoding: 'utf8',
      maxBuffer: 256 * 2 ** 20,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...options,
      env: { ...process.env, ...options.env },
    });
  } catch (error) {
    const { status, stderr = '' } = error as Failed;
    const said = stderr.trim().split('\n').slice(-8).join('\n');
    throw new Error(`${program} ${argv[0] ?? ''} ended with ${status ?? messageOf(error)}: ${said}`, {
      cause: error,
    });
  }
};

/** The programs of other projects that a release needs, each with what it is for. */
export const TOOLS = {
  git: 'reads the commit and the tag',
  buildah: 'builds the image',
  skopeo: 'pushes the image and the chart',
  helm: 'packages the chart',
  cosign: 'signs',
} as const;

export type Tool = keyof typeof TOOLS;

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/**
 * Returns the path of a tool: the one that its variable names (HELM for helm), or else the first on the PATH; undefined if there is
 * none.
 */
export const findTool = (tool: Tool, env: NodeJS.ProcessEnv = process.env): string | undefined => {
  const named = env[tool.toUpperCase()];
  if (named !== undefined && named !== '') return isExecutable(named) ? named : undefined;
  return (env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, tool))
    .find(isExecutable);
};

/** Returns the path of a tool. Refuses if there is none. */
export const toolPath = (tool: Tool): string => {
  const path = findTool(tool);
  if (path === undefined)
    throw new Refusal(
      `${tool} is missing, which ${TOOLS[tool]}: install it, or name its path in ${tool.toUpperCase()}`,
    );
  return path;
};

/** Prints a line on progress. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
