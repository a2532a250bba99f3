import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/*
 * The third-party inputs of a build: pinned by version and hash, and not executed before a person has reviewed them.
 */

interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
const locked = Object.entries(packages).filter(([path]) => path !== '');

const pathsWhere = (isSo: (one: Locked) => boolean): string[] =>
  locked.filter(([, one]) => isSo(one)).map(([path]) => path);

describe('the packages that a build takes', () => {
  it('are more than none, each with a sha512 hash and no address of its own', () => {
    expect(locked.length).toBeGreaterThan(0);
    expect(
      pathsWhere(({ integrity = '', resolved }) => !/^sha512-\S+$/.test(integrity) || resolved !== undefined),
    ).toEqual([]);
  });

  it('run nothing when they are installed, where they are part of what is shipped', () => {
    expect(pathsWhere(({ dev, hasInstallScript }) => dev !== true && hasInstallScript === true)).toEqual([]);
  });

  it('are named by one version each', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const versions = Object.entries({ ...dependencies, ...devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });
});

describe('the images that a build begins with', () => {
  it('are pinned by digest', () => {
    const dockerfile = read('Dockerfile');
    const [pinned, used, from] = [
      /^ARG (\w+_IMAGE)=\S+@sha256:[0-9a-f]{64}$/gm,
      /^FROM (?:--\S+ )*\$\{(\w+)\}/gm,
      /^FROM\b/gm,
    ].map((pattern) => [...dockerfile.matchAll(pattern)].map(([line, name]) => name ?? line));
    expect([pinned, used, from?.length]).toEqual([
      ['BUILD_IMAGE', 'RUNTIME_IMAGE'],
      ['BUILD_IMAGE', 'RUNTIME_IMAGE'],
      2,
    ]);
  });
});
