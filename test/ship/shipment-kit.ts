/* oxlint-disable vitest/expect-expect -- it defines a test that says that it is none */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { it } from 'vitest';
import type { Shipment } from '../../.ci/ship/shipment.ts';

export const ROOT = new URL('../..', import.meta.url).pathname;
export const execute = promisify(execFile);

/** Milliseconds, on a machine that does much else. */
export const BUILD_TIMEOUT = 120_000;

/** Builds the bundle into a directory of its own, and returns a release of it, with `remove`. */
export const makeShipment = async (): Promise<Shipment & { readonly remove: () => Promise<void> }> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-ship-'));
  const bundleDirectory = join(directory, 'bundle');
  const outDirectory = join(directory, 'out');
  await mkdir(outDirectory);
  await execute(process.execPath, ['.ci/bundle.ts', bundleDirectory], {
    cwd: ROOT,
    env: { ...process.env, SAILMARK_COMMIT: 'c0ffee' },
  });
  return {
    version: '1.2.3',
    commit: 'c0ffee',
    epoch: 1_700_000_000,
    outDirectory,
    bundleDirectory,
    project: { home: undefined, sources: undefined },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
};

/** Reports a test that cannot run on this machine. */
export const notRun = (what: string): void => {
  it(`NOT RUN: ${what}`, (context) => context.skip());
};
