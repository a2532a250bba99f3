import { readFileSync } from 'node:fs';

/*
 * Checks package-lock.json: it records no download address, so that `npm ci` uses whatever registry is configured, and it
 * has an entry for every optional dependency, so that it installs on every platform. Prints each fault and fails if there
 * is one.
 */

interface Entry {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, Entry>>;
};

const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));

const faultsOf = (path: string, { resolved, optionalDependencies = {} }: Entry): readonly string[] => {
  const missing = Object.keys(optionalDependencies).filter((name) => !names.has(name));
  return [
    ...(resolved === undefined || resolved === '' ? [] : [`${path} records a download address`]),
    ...missing.map((name) => `${path} misses ${name}`),
  ];
};

const faults = Object.entries(packages).flatMap(([path, entry]) => faultsOf(path, entry));
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
