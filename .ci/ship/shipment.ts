import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Project, readProject } from './project.ts';

/** One release that is being made. */
export interface Shipment {
  /** The version in package.json: `1.2.3`. */
  readonly version: string;
  /** The commit that the bundle was built from, or `unknown`. */
  readonly commit: string;
  /** The time of every file in it: seconds since the epoch. */
  readonly epoch: number;
  /** The directory that files of the release are written to. It exists. */
  readonly outDirectory: string;
  /** The directory that `.ci/bundle.ts` wrote. */
  readonly bundleDirectory: string;
  readonly project: Pick<Project, 'home' | 'sources'>;
}

export const ROOT = join(import.meta.dirname, '../..');

const git = (...argv: readonly string[]): string =>
  execFileSync('git', argv, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** Returns what git answers; undefined outside a repository. */
const tryGit = (...argv: readonly string[]): string | undefined => {
  try {
    return git(...argv);
  } catch {
    return undefined;
  }
};

/** The time of what is built: SOURCE_DATE_EPOCH, or that of the commit. */
const epochOf = (): number => {
  const text = process.env['SOURCE_DATE_EPOCH'] ?? tryGit('log', '-1', '--format=%ct');
  const epoch = Number(text);
  if (text === undefined || !Number.isSafeInteger(epoch) || epoch < 0)
    throw new Error(`SOURCE_DATE_EPOCH must be a time in seconds since the epoch, got ${text ?? 'nothing'}`);
  return epoch;
};

/** Returns the version in package.json. */
export const readVersion = (): string =>
  (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }).version;

/**
 * Runs a writer of files alone, `node .ci/ship/X.ts OUT`: builds the bundle, gives the writer what a release would, and prints the
 * path of each file that it wrote.
 */
export const runAlone = async (write: (shipment: Shipment) => Promise<readonly string[]>): Promise<void> => {
  const [, script, out] = process.argv;
  if (out === undefined || out.startsWith('-')) {
    console.error(`Usage: node ${script} OUT\nWrites files of a release into the directory OUT.`);
    process.exitCode = 1;
    return;
  }
  const outDirectory = resolve(out);
  const bundleDirectory = join(outDirectory, '.bundle');
  mkdirSync(outDirectory, { recursive: true });
  try {
    execFileSync(process.execPath, ['.ci/bundle.ts', bundleDirectory], { cwd: ROOT, stdio: 'inherit' });
    const commit = process.env['SAILMARK_COMMIT'] ?? tryGit('rev-parse', 'HEAD') ?? 'unknown';
    const project = readProject();
    const shipment = {
      version: readVersion(),
      commit,
      epoch: epochOf(),
      outDirectory,
      bundleDirectory,
      project,
    };
    for (const file of await write(shipment)) console.log(file);
  } catch (error) {
    console.error(`Error: ${(error as Error).message}`);
    process.exitCode = 1;
  } finally {
    rmSync(bundleDirectory, { recursive: true, force: true });
  }
};
