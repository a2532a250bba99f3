import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Artifact, places } from '../../.ci/ship/release-context.ts';
import { type ProgramResult, runOrThrow, runProgram } from '../e2e/tools.ts';
import type { Made } from './release.ts';

export { places };

/** Returns what was made for all test files. */
export const made = (): Made => inject('made');

/** The environment of those who check a release: no other machine can be reached. */
export const checking = (): Readonly<Record<string, string>> => {
  const { home } = made();
  return {
    HOME: home,
    DOCKER_CONFIG: home,
    TUF_ROOT: `${home}/tuf`,
    COSIGN_PASSWORD: 'of a test',
    HTTPS_PROXY: 'http://127.0.0.1:1',
    HTTP_PROXY: 'http://127.0.0.1:1',
    NO_PROXY: '127.0.0.1',
  };
};

/** Runs a script of the shell as those who check a release. */
export const shell = (script: string, cwd: string = made().home): Promise<ProgramResult> =>
  runProgram('bash', ['-euo', 'pipefail', '-c', script], { cwd, env: checking() });

/** release.json, which says what was made. */
export interface Summary {
  readonly version: string;
  readonly commit: string;
  readonly image: Artifact;
  readonly chart: Artifact;
  readonly files: Readonly<Record<string, string>>;
}

/** Reads release.json. */
export const readSummary = (out: string = made().out): Summary =>
  JSON.parse(readFileSync(places(out).summary, 'utf8')) as Summary;

/** Installs the npm package into a prefix of its own, once, and resolves with the path of its program. */
export const installPackage = async (): Promise<string> => {
  const { home, out, version } = made();
  const prefix = join(home, 'prefix');
  const program = join(prefix, 'bin', 'sailmark');
  if (!existsSync(program)) {
    const flags = ['--global', '--prefix', prefix, '--cache', join(home, 'npm'), '--no-audit', '--no-fund'];
    await runOrThrow('npm', ['install', ...flags, join(places(out).files, `sailmark-${version}.tgz`)], {
      env: checking(),
    });
  }
  return program;
};
