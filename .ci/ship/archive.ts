import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { readBundledPackages } from '../bundled-packages.ts';
import { noticesOf } from '../licences.ts';
import { bundleFiles } from './bundle-files.ts';
import { ARCHITECTURES, type Architecture, unpackNode } from './node-archives.ts';
import { pack, stageOf } from './pack.ts';
import { readmeOf } from './readme.ts';
import { ROOT, runAlone, type Shipment } from './shipment.ts';

/*
 * Writes an archive for each platform, `sailmark-VERSION-linux-ARCHITECTURE.tar.gz`, with a program that needs no Node.js. It is one
 * executable: Node.js with the files of the bundle embedded (a single executable application), each of which is read when
 * it is imported. It starts as fast as Node.js with the bundle beside it, and needs no shell to find that from behind a link; the
 * bundle embedded as one file would take three times as long to print a version.
 */

/** Where each shell looks for completions, by the name that it expects. */
const COMPLETIONS = { bash: 'sailmark.bash', zsh: '_sailmark', fish: 'sailmark.fish' } as const;

const writeCompletions = (bundleDirectory: string, directory: string): void => {
  mkdirSync(directory);
  for (const [shell, name] of Object.entries(COMPLETIONS))
    writeFileSync(
      join(directory, name),
      execFileSync(process.execPath, [join(bundleDirectory, 'main.js'), 'completion', shell]),
    );
};

/** Writes the executable: a copy of Node.js, for whatever platform, with the bundle in it. */
const writeExecutable = async (
  { bundleDirectory }: Shipment,
  stage: string,
  output: string,
): Promise<void> => {
  const main = 'standalone.mjs';
  await build({
    entryPoints: [join(import.meta.dirname, 'standalone.ts')],
    outfile: join(stage, main),
    absWorkingDir: ROOT,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const files = bundleFiles(bundleDirectory).filter((name) => name.endsWith('.js') && name !== 'main.js');
  const configuration = {
    // This path becomes a part of the executable, so it must not say where that is built.
    main,
    mainFormat: 'module',
    executable: 'node/bin/node',
    output,
    disableExperimentalSEAWarning: true,
    // NODE_OPTIONS of a shell are meant for other programs.
    execArgvExtension: 'none',
    assets: Object.fromEntries(files.map((name) => [name, join(bundleDirectory, name)])),
  };
  writeFileSync(join(stage, 'configuration.json'), JSON.stringify(configuration));
  execFileSync(process.execPath, ['--build-sea', 'configuration.json'], {
    cwd: stage,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

/** Writes the archive for one platform, and returns its path. */
export const writeArchive = async (shipment: Shipment, architecture: Architecture): Promise<string> => {
  const { version, epoch, outDirectory, bundleDirectory } = shipment;
  const name = `sailmark-${version}-linux-${architecture}`;
  const stage = stageOf(outDirectory, name);
  const inside = join(stage, name);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(inside, { recursive: true });
  try {
    const node = unpackNode(architecture, join(stage, 'node'));
    if (node.version !== process.versions.node)
      throw new Error(`Node.js ${node.version} is needed to build with it, this is ${process.versions.node}`);
    await writeExecutable(shipment, stage, join(inside, 'sailmark'));
    writeCompletions(bundleDirectory, join(inside, 'completions'));
    copyFileSync(join(ROOT, 'LICENSE'), join(inside, 'LICENSE'));
    const shipped = { version: node.version, licenceFile: join(stage, 'node/LICENSE') };
    const notices = noticesOf(readBundledPackages(bundleDirectory).packages, { node: shipped });
    writeFileSync(join(inside, 'LICENSES.txt'), notices);
    writeFileSync(join(inside, 'README.md'), readmeOf('archive', shipment));
    const file = join(outDirectory, `${name}.tar.gz`);
    pack(file, { directory: stage, entry: name, epoch });
    return file;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
};

/** Writes the archives, one for each platform, and returns their paths. */
export const writeArchives = async (shipment: Shipment): Promise<readonly string[]> => {
  const files: string[] = [];
  for (const architecture of ARCHITECTURES) files.push(await writeArchive(shipment, architecture));
  return files;
};

if (import.meta.main) await runAlone(writeArchives);
