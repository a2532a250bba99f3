import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { runOrThrow } from '../tools.ts';
import { CHART } from './cluster.ts';

/*
 * Releases of other versions, made of the same sources: bundles that say so, and charts that are packaged so.
 */

const REPOSITORY = new URL('../../../', import.meta.url).pathname;

const manifestOf = async (): Promise<{ readonly version: string }> =>
  JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as { readonly version: string };

/** Resolves with the version of this tree and the next two minor ones. */
export const laterVersions = async (): Promise<readonly [string, string, string]> => {
  const { version } = await manifestOf();
  const [major = '0', minor = '0'] = version.split('.');
  const next = (by: number): string => `${major}.${Number(minor) + by}.0`;
  return [version, next(1), next(2)];
};

/** Builds the bundle as another version, and resolves with its directory. */
export const buildVersion = async (version: string, directory: string): Promise<string> => {
  const home = join(directory, `bundle-${version}`);
  await mkdir(home);
  await symlink(join(REPOSITORY, 'src'), join(home, 'src'));
  await writeFile(join(home, 'package.json'), JSON.stringify({ ...(await manifestOf()), version }));
  await runOrThrow(process.execPath, [join(REPOSITORY, '.ci/bundle.ts'), join(home, 'dist')], { cwd: home });
  return join(home, 'dist');
};

/** A value that the chart of a version does not have any more (files/changed-values.yaml). */
export interface GoneValue {
  readonly value: string;
  readonly since: string;
  readonly instead: string;
}

/** Packages the chart as a version, and resolves with the path of the archive. */
export const packageVersion = async (
  plane: ControlPlane,
  version: string,
  directory: string,
  gone: readonly GoneValue[] = [],
): Promise<string> => {
  const chart = join(directory, `chart-${version}`, 'sailmark');
  await cp(CHART, chart, { recursive: true });
  await writeFile(join(chart, 'files/changed-values.yaml'), JSON.stringify(gone));
  await plane.helm(
    'package',
    chart,
    '--version',
    version,
    '--app-version',
    version,
    '--destination',
    directory,
  );
  return join(directory, `sailmark-${version}.tgz`);
};
