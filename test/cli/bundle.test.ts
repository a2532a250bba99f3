import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath } from '../support/fixtures.ts';

/*
 * Users run the bundle, and a bundler changes module semantics: a CommonJS package that is imported dynamically has other
 * exports in the bundle than in a program run from source.
 */

const ROOT = new URL('../..', import.meta.url).pathname;
const execute = promisify(execFile);

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let directory: string;

const bundled = (...argv: readonly string[]): Promise<Result> =>
  execute(process.execPath, [join(directory, 'main.js'), ...argv], { env: { HOME: directory } }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Result) => ({ code, stdout, stderr }),
  );

/** The files that are loaded with `names`, with their static imports, and the size of each. */
const loadedWith = async (names: readonly string[]): Promise<ReadonlyMap<string, number>> => {
  const sizes = new Map<string, number>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (sizes.has(name)) continue;
    const text = await readFile(join(directory, name), 'utf8');
    sizes.set(name, text.length);
    waiting.push(
      ...[...text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)].map(([, imported]) => imported ?? ''),
    );
  }
  return sizes;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-bundle-'));
  await execute(process.execPath, ['.ci/bundle.ts', directory], {
    cwd: ROOT,
    env: { ...process.env, SAILMARK_COMMIT: 'c0ffee' },
  });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the bundle', () => {
  it('names the nearest command and flag where one is unknown', async () => {
    const [command, flag] = [await bundled('verfy'), await bundled('verify', '--ouput', 'json', 'x')];
    expect([command.code, flag.code]).toEqual([1, 1]);
    expect(command.stderr).toContain('unknown command "verfy". Did you mean verify?\n');
    expect(flag.stderr).toContain('unknown flag --ouput. Did you mean --output?\n');
  });

  it('names the nearest key of a configuration', async () => {
    const config = join(directory, 'config.yaml');
    await writeFile(config, 'apiVersion: sailmark.dev/v1alpha1\nkind: Configuration\nkyes: []\n');
    const { code, stderr } = await bundled('check-config', '--config', config);
    expect(code).toBe(1);
    expect(stderr).toContain('did you mean keys?');
  });

  it('says what it was built from', async () => {
    const { code, stdout } = await bundled('version');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sailmark \d+\.\d+\.\d+\nnode {5}v\d+\.\d+\.\d+\ncommit {3}c0ffee\n$/);
  });

  it('loads keys, and asks a registry that is not there', async () => {
    const key = fixturePath('cosign/keys/cosign.pub');
    const { code, stdout, stderr } = await bundled('verify', '--key', key, '127.0.0.1:1/istio/pilot:1.28.0');
    expect({ code, stderr }).toEqual({ code: 20, stderr: '' });
    expect(stdout).toContain('the connection failed (ECONNREFUSED) (registry-unavailable)');
  });

  it.each(['verify', 'review', 'scan', 'serve', 'keys', 'check-config', 'explain', 'completion', 'version'])(
    'has all that %s needs',
    async (name) => {
      const { code, stdout, stderr } = await bundled(name, '--help');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^Usage: sailmark ${name}`));
    },
  );

  it('carries the page of a scan once, and nothing that makes it', async () => {
    const names = (await readdir(directory)).filter((name) => name.endsWith('.js'));
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
    expect(texts.filter((text) => text.includes('Without it, this is the summary'))).toHaveLength(1);
    expect(texts.filter((text) => text.includes('ESBUILD_BINARY_PATH'))).toEqual([]);
  });

  it('explains a reason without any file beside it', async () => {
    const { code, stdout } = await bundled('explain', 'signature-missing');
    expect(code).toBe(0);
    expect(stdout).toContain('What to do: use a release; copy signatures along when mirroring\n');
  });

  it('loads less than 30 kB to print a version', async () => {
    const names = await readdir(directory);
    const version = names.find((name) => /^version-.*\.js$/.test(name));
    const loaded = await loadedWith(['main.js', 'program.js', version ?? '']);
    expect([...loaded.keys()]).not.toEqual(['main.js', 'program.js']);
    expect([...loaded.values()].reduce((sum, size) => sum + size, 0)).toBeLessThan(30_000);
  });
});
