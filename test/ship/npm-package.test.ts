import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpmPackage } from '../../.ci/ship/npm-package.ts';
import type { Shipment } from '../../.ci/ship/shipment.ts';
import { BUILD_TIMEOUT, execute, makeShipment, ROOT } from './shipment-kit.ts';

let shipment: Shipment;
let remove: () => Promise<void>;
let file: string;
beforeAll(async () => {
  ({ remove, ...shipment } = await makeShipment());
  [file = ''] = await writeNpmPackage(shipment);
}, BUILD_TIMEOUT);
afterAll(() => remove());

/** Unpacks the package of a release with other settings, and returns its directory. */
const unpacked = async (name: string, change: Partial<Shipment> = {}): Promise<string> => {
  const outDirectory = join(shipment.outDirectory, name);
  await mkdir(outDirectory);
  const [archive = ''] = await writeNpmPackage({ ...shipment, ...change, outDirectory });
  await execute('tar', ['-xzf', archive, '-C', outDirectory]);
  return join(outDirectory, 'package');
};

const manifestOf = async (directory: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>;

const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

describe('the npm package', () => {
  it('runs nothing when it is installed and depends on nothing', async () => {
    const manifest = await manifestOf(await unpacked('manifest'));
    expect(Object.keys(manifest).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'bin',
      'description',
      'engines',
      'files',
      'keywords',
      'license',
      'name',
      'type',
      'version',
    ]);
    expect(manifest).toMatchObject({
      name: 'sailmark',
      version: '1.2.3',
      license: 'Apache-2.0',
      bin: { sailmark: 'dist/main.js' },
      engines: { node: '^24.15.0 || >=26' },
    });
  });

  it('names addresses once the project has set them', async () => {
    const project = { home: 'https://sailmark.example', sources: 'https://code.example/team/sailmark' };
    const directory = await unpacked('addresses', { project });
    expect(await manifestOf(directory)).toMatchObject({
      homepage: 'https://sailmark.example',
      repository: { type: 'git', url: 'git+https://code.example/team/sailmark.git' },
      bugs: { url: 'https://code.example/team/sailmark/issues' },
    });
    const readme = await readFile(join(directory, 'README.md'), 'utf8');
    expect(readme.match(/https:\/\/[^>\s)]+/g)).toEqual([
      'https://sailmark.example',
      'https://code.example/team/sailmark/blob/v1.2.3/README.md',
    ]);
  });

  it('holds the bundle, licences and a README without links, and nothing else', async () => {
    const directory = await unpacked('files');
    const names = await readdir(directory, { recursive: true });
    const plain =
      /^(?:dist|dist\/[\w-]+\.js|dist\/[\w-]+\.js\.LEGAL\.txt|LICENSE|LICENSES\.txt|README\.md|package\.json)$/;
    expect(names.filter((name) => !plain.test(name))).toEqual([]);
    expect(names).toEqual(
      expect.arrayContaining(['dist/main.js', 'dist/program.js', 'LICENSE', 'LICENSES.txt', 'README.md']),
    );
    const readme = await readFile(join(directory, 'README.md'), 'utf8');
    expect(readme).not.toMatch(/\]\(|https?:/);
    expect(readme).toContain('npm install --global ./sailmark-1.2.3.tgz');
    expect(await readFile(join(directory, 'LICENSES.txt'), 'utf8')).toMatch(/^pino \d[^\n]* \(MIT\)$/m);
    expect((await stat(join(directory, 'dist/main.js'))).mode & 0o777).toBe(0o755);
  });

  it('has the same bytes whenever and under whatever umask it is packed', async () => {
    const before = process.umask(0o077);
    const outDirectory = join(shipment.outDirectory, 'again');
    try {
      await mkdir(outDirectory);
      const main = join(shipment.bundleDirectory, 'main.js');
      await utimes(main, 1, 1);
      const [again = ''] = await writeNpmPackage({ ...shipment, outDirectory });
      expect(await hashOf(again)).toBe(await hashOf(file));
      await rm(again);
      const [other = ''] = await writeNpmPackage({ ...shipment, outDirectory, epoch: 1 });
      expect(await hashOf(other)).not.toBe(await hashOf(file));
    } finally {
      process.umask(before);
    }
  });

  it('is installed by npm without a network, and then runs by its name', async () => {
    const prefix = join(shipment.outDirectory, 'prefix');
    const env = {
      HOME: prefix,
      PATH: [dirname(process.execPath), ...(process.env['PATH'] ?? '').split(delimiter)].join(delimiter),
      npm_config_cache: join(prefix, 'cache'),
    };
    const installed = await execute('npm', ['install', '--global', '--offline', '--prefix', prefix, file], {
      env,
    });
    expect(installed.stderr).toBe('');
    const { stdout } = await execute(join(prefix, 'bin/sailmark'), ['version'], { env });
    expect(stdout).toContain('commit   c0ffee\n');
  });

  it('is no package of a bundle with a licence that is not allowed', async () => {
    const bundleDirectory = join(shipment.outDirectory, 'foreign');
    await mkdir(bundleDirectory);
    const outputs = { 'x.js': { inputs: { 'node_modules/axe-core/axe.js': { bytesInOutput: 1 } } } };
    await writeFile(join(bundleDirectory, 'metafile.json'), JSON.stringify({ inputs: {}, outputs }));
    await expect(writeNpmPackage({ ...shipment, bundleDirectory })).rejects.toThrow(
      /^axe-core \S+ has the licence MPL-2\.0, which is not on the list/,
    );
    expect((await readdir(shipment.outDirectory)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('its command', () => {
  it('asks for a directory to write into', async () => {
    const attempt = execute(process.execPath, ['.ci/ship/npm-package.ts'], { cwd: ROOT });
    await expect(attempt).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Usage: node \S+npm-package\.ts OUT\n/),
    });
  });

  it(
    'refuses a time that is none, in a sentence',
    async () => {
      const env = { ...process.env, SOURCE_DATE_EPOCH: 'yesterday' };
      const out = join(shipment.outDirectory, 'no-time');
      const attempt = execute(process.execPath, ['.ci/ship/npm-package.ts', out], { cwd: ROOT, env });
      await expect(attempt).rejects.toMatchObject({
        code: 1,
        stderr: 'Error: SOURCE_DATE_EPOCH must be a time in seconds since the epoch, got yesterday\n',
      });
    },
    BUILD_TIMEOUT,
  );
});
