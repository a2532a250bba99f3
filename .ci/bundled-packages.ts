import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * The packages whose code is in the bundle, by what esbuild reports of it (`metafile.json`, which .ci/bundle.ts writes beside the
 * bundle). The lock file would name more: what only tests need, and what is left out of the bundle.
 */

const ROOT = join(import.meta.dirname, '..');

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** Its directories below the root of the repository; more than one if it is installed more than once. */
  readonly directories: readonly [string, ...string[]];
  /** An SPDX expression, as its manifest has it. */
  readonly licence: string | undefined;
  /** As the lock file has it: `sha512-` and base64. */
  readonly integrity: string | undefined;
  /** The packages that its code in the bundle imports, each as `name@version`. */
  readonly imports: readonly string[];
}

export interface BundledPackages {
  readonly packages: readonly BundledPackage[];
  /** The packages that code of this project imports, each as `name@version`. */
  readonly direct: readonly string[];
}

interface Metafile {
  readonly inputs: Readonly<Record<string, { readonly imports: readonly { readonly path: string }[] }>>;
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

/** An entry of package-lock.json. */
export interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Returns the entries of package-lock.json, by directory. */
export const readLockedPackages = (): Readonly<Record<string, LockedPackage>> =>
  (readJson(join(ROOT, 'package-lock.json')) as { readonly packages: Record<string, LockedPackage> })
    .packages;

/** Returns the directory of the package that a file belongs to; undefined for a file of this project. */
const directoryOf = (file: string): string | undefined =>
  /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];

const nameOf = (directory: string): string => directory.replace(/^.*node_modules\//, '');

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Reads which packages are in a bundle, sorted by name and version. Throws if the lock file does not know one. */
export const readBundledPackages = (bundleDirectory: string): BundledPackages => {
  const { inputs, outputs } = readJson(join(bundleDirectory, 'metafile.json')) as Metafile;
  const locked = readLockedPackages();
  const parts = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const directories = new Set(
    parts.flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? (directoryOf(file) ?? []) : [])),
  );
  const idOf = (directory: string): string => {
    const version = locked[directory]?.version;
    if (version === undefined) throw new Error(`${directory} is in the bundle and not in package-lock.json`);
    return `${nameOf(directory)}@${version}`;
  };
  const importsOf = (isImporter: (directory: string | undefined) => boolean): readonly string[] => {
    const files = parts.map(([file]) => file).filter((file) => isImporter(directoryOf(file)));
    const imported = files
      .flatMap((file) => inputs[file]?.imports ?? [])
      .flatMap(({ path }) => directoryOf(path) ?? [])
      .filter((directory) => directories.has(directory) && !isImporter(directory));
    return [...new Set(imported.map(idOf))].toSorted(compare);
  };
  const byId = Map.groupBy([...directories].toSorted(compare), idOf);
  const packages = [...byId]
    .toSorted(([a], [b]) => compare(a, b))
    .map(([, [first = '', ...others]]) => {
      const { version, license, integrity } = locked[first] ?? { version: '' };
      return {
        name: nameOf(first),
        version,
        directories: [first, ...others] as const,
        licence: license,
        integrity,
        imports: importsOf((directory) => directory !== undefined && [first, ...others].includes(directory)),
      };
    });
  return { packages, direct: importsOf((directory) => directory === undefined) };
};
