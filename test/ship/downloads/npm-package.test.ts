import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpmPackage } from '../../../.ci/ship/npm-package.ts';
import type { Shipment } from '../../../.ci/ship/shipment.ts';
import { execute, makeShipment } from '../shipment-kit.ts';

/* The npm package, installed globally by a real npm and run by real releases of Node (.ci/ship-files installs them). */

const nodes = (process.env['SHIP_NODES'] ?? '').split(delimiter);
const npm = process.env['SHIP_NPM'] ?? '';

let shipment: Shipment;
let remove: () => Promise<void>;
let prefix: string;
let messages: string;

/** Runs the installed program with `node` first on the PATH, as its first line finds it. */
const run = async (node: string, ...argv: readonly string[]) => {
  const env = { HOME: prefix, PATH: [dirname(node), '/usr/bin', '/bin'].join(delimiter) };
  return execute(join(prefix, 'bin/sailmark'), argv, { env }).then(
    (result) => ({ code: 0, ...result }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
};

const versionOf = async (node: string): Promise<string> => (await execute(node, ['--version'])).stdout.trim();

/** Installs the package with npm, run by a Node; returns what npm prints on standard error. */
const install = async (node: string, file: string, ...flags: readonly string[]): Promise<string> => {
  const env = { HOME: prefix, PATH: [dirname(node), dirname(npm), '/usr/bin', '/bin'].join(delimiter) };
  const argv = [
    npm,
    'install',
    '--global',
    '--offline',
    '--cache',
    join(prefix, 'cache'),
    '--prefix',
    prefix,
    ...flags,
    file,
  ];
  return (await execute(node, argv, { env })).stderr;
};

const [, node20 = '', , node24 = ''] = nodes;
let file: string;
beforeAll(async () => {
  ({ remove, ...shipment } = await makeShipment());
  prefix = join(shipment.outDirectory, 'prefix');
  [file = ''] = await writeNpmPackage(shipment);
  messages = await install(node20, file);
});
afterAll(() => remove());

const TOO_OLD =
  /^Error: sailmark needs Node\.js 24\.15 or a later 24, or 26 or later: this is v[\d.]+ \([^)]+\)\n$/;

describe('the npm package on real releases of Node', () => {
  it.each(nodes.slice(0, 3))('says in one sentence that %s is too old', async (node) => {
    expect(await versionOf(node)).toMatch(/^v(?:18|20|22)\./);
    for (const argv of [['version'], ['--help'], ['verify', 'docker.io/istio/pilot:1.30.0']]) {
      const { code, stdout, stderr } = await run(node, ...argv);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(TOO_OLD);
    }
  });

  it('is installed by the npm of an old one with a warning that names what it needs', () => {
    expect(messages).toMatch(/npm warn EBADENGINE\s+required: \{ node: '\^24\.15\.0 \|\| >=26' \}/);
    expect(messages).not.toContain('npm error');
  });

  it('is refused there by an npm that is told to be strict', async () => {
    await expect(install(node20, file, '--engine-strict')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('npm error code EBADENGINE'),
    });
  });

  it('is installed on a supported one without a warning', async () => {
    expect(await install(node24, file)).toBe('');
  });

  it.each([node24, process.execPath])('runs on %s', async (node) => {
    const { code, stdout, stderr } = await run(node, 'version');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      `sailmark ${await versionInPackage()}\nnode     ${await versionOf(node)}\ncommit   c0ffee\n`,
    );
  });

  it('is the only package that was installed', async () => {
    const { stdout } = await execute('find', [join(prefix, 'lib/node_modules'), '-name', 'package.json']);
    expect(stdout.trim()).toBe(join(prefix, 'lib/node_modules/sailmark/package.json'));
  });
});

/** The version that the bundle was built with. */
const versionInPackage = async (): Promise<string> => {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};
