import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeArchives } from './archive.ts';
import { run } from './command.ts';
import { sha256 } from './layout.ts';
import { writeNpmPackage } from './npm-package.ts';
import { places, type Release } from './release-context.ts';
import { writeSboms } from './sbom.ts';
import type { Shipment } from './shipment.ts';

/** The list of checksums, as `sha256sum --check` reads it. */
export const SUMS = 'SHA256SUMS';
/** A signature lies beside its file. */
export const BUNDLE = '.sigstore.json';

/** Builds the bundle, and writes the archives, the npm package and the SBOMs. */
export const makeFiles = async (release: Release): Promise<void> => {
  const { files, work } = places(release.out);
  const bundleDirectory = join(work, 'bundle');
  mkdirSync(files, { recursive: true });
  run(process.execPath, ['.ci/bundle.ts', bundleDirectory], { env: { SAILMARK_COMMIT: release.commit } });
  const { version, commit, epoch, project } = release;
  const shipment: Shipment = { version, commit, epoch, project, outDirectory: files, bundleDirectory };
  await writeNpmPackage(shipment);
  await writeArchives(shipment);
  await writeSboms(shipment);
};

/** Returns the name of the SBOM of the bundle, which is all that the image adds to its base. */
export const bundleSbom = (version: string): string => `sailmark-${version}.cdx.json`;

/** Returns the names of the files of a release that have a checksum: all but the list itself, the signatures and the key. */
export const namesOf = (directory: string): readonly string[] =>
  readdirSync(directory)
    .filter((name) => name !== SUMS && !name.endsWith(BUNDLE) && !name.endsWith('.pub'))
    .toSorted();

/** Writes the checksums of all files. */
export const writeSums = (directory: string): void => {
  const lines = namesOf(directory).map((name) => `${sha256(readFileSync(join(directory, name)))}  ${name}\n`);
  writeFileSync(join(directory, SUMS), lines.join(''));
};
