import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBundledPackages } from '../bundled-packages.ts';
import { noticesOf } from '../licences.ts';
import { bundleFiles } from './bundle-files.ts';
import { pack, stageOf } from './pack.ts';
import { readmeOf } from './readme.ts';
import { ROOT, runAlone, type Shipment } from './shipment.ts';

/*
 * Writes the npm package, `sailmark-VERSION.tgz`: the bundle and no dependencies, so that what is installed is what was built, and
 * nothing runs when it is installed.
 */

interface Manifest {
  readonly description: string;
  readonly license: string;
  readonly engines: object;
}

const withoutSlash = (url: string): string => url.replace(/\/$/, '');

/** The addresses that npm shows; none unless the project has set them. */
const addressesOf = ({ home, sources }: Shipment['project']): object => ({
  ...(home === undefined ? {} : { homepage: home }),
  ...(sources === undefined
    ? {}
    : {
        repository: { type: 'git', url: `git+${withoutSlash(sources).replace(/\.git$/, '')}.git` },
        bugs: { url: `${withoutSlash(sources).replace(/\.git$/, '')}/issues` },
      }),
});

const manifestOf = ({ version, project }: Shipment): object => {
  const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  return {
    name: 'sailmark',
    version,
    description: own.description,
    keywords: ['istio', 'kubernetes', 'admission', 'cosign', 'sigstore'],
    license: own.license,
    ...addressesOf(project),
    type: 'module',
    bin: { sailmark: 'dist/main.js' },
    files: ['dist', 'LICENSES.txt'],
    engines: own.engines,
  };
};

/** Writes the npm package and returns its path. */
export const writeNpmPackage = async (shipment: Shipment): Promise<readonly string[]> => {
  const { version, epoch, outDirectory, bundleDirectory } = shipment;
  const stage = stageOf(outDirectory, 'npm');
  const inside = join(stage, 'package');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(join(inside, 'dist'), { recursive: true });
  try {
    for (const name of bundleFiles(bundleDirectory))
      copyFileSync(join(bundleDirectory, name), join(inside, 'dist', name));
    copyFileSync(join(ROOT, 'LICENSE'), join(inside, 'LICENSE'));
    writeFileSync(join(inside, 'LICENSES.txt'), noticesOf(readBundledPackages(bundleDirectory).packages));
    writeFileSync(join(inside, 'README.md'), readmeOf('npm', shipment));
    writeFileSync(join(inside, 'package.json'), `${JSON.stringify(manifestOf(shipment), null, 2)}\n`);
    const file = join(outDirectory, `sailmark-${version}.tgz`);
    pack(file, { directory: stage, entry: 'package', epoch });
    return [file];
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
};

if (import.meta.main) await runAlone(writeNpmPackage);
