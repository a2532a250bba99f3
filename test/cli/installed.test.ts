import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath } from '../support/fixtures.ts';

/* The program as `npm install --global` puts it on the PATH: a link to the bundle, run by its own first line. */

const ROOT = new URL('../..', import.meta.url).pathname;
const KEY = fixturePath('cosign/keys/cosign.pub');
const execute = promisify(execFile);

let directory: string;
let program: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-installed-'));
  await execute(process.execPath, ['.ci/bundle.ts', join(directory, 'dist')], { cwd: ROOT });
  program = join(directory, 'sailmark');
  await symlink(join(directory, 'dist/main.js'), program);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = (more: object = {}) => ({
  HOME: directory,
  PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
  ...more,
});

const textOf = async (stream: ChildProcess['stdout']): Promise<string> => {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
};

/** Runs a line of the shell, in which `sailmark` is the installed program. */
const shell = async (line: string, more: object = {}): Promise<Result> => {
  const child = spawn('/bin/bash', ['-c', `set -o pipefail; ${line}`], {
    cwd: directory,
    env: environment({ ...more, PATH: [directory, environment().PATH].join(delimiter) }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended]);
  return { code, stdout, stderr };
};

/** A first module that makes Node.js say that it is of another version. */
const pretending = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;

const manyImages = async (count: number): Promise<string> => {
  const lines = Array.from({ length: count }, (_, index) => `127.0.0.1:1/istio/pilot:1.${index}`);
  const file = join(directory, 'images.txt');
  await writeFile(file, lines.join('\n'));
  return `sailmark verify --key ${KEY} -f ${file}`;
};

describe('the program without `node` before it', () => {
  it.each(['18.20.4', '20.20.2', '22.20.0', '24.14.9', '25.9.0'])(
    'says in a sentence that Node.js %s is too old',
    async (version) => {
      const { code, stdout, stderr } = await shell('sailmark version', {
        NODE_OPTIONS: `--import=${pretending(version)}`,
      });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^Error: sailmark needs Node\.js 24\.15 or a later 24, or 26 or later: this is v[^\n]*\n$/,
      );
    },
  );

  it.each(['24.15.0', '24.99.1', '26.0.0', '30.1.0'])('runs on Node.js %s', async (version) => {
    const { code, stderr } = await shell('sailmark version', {
      NODE_OPTIONS: `--import=${pretending(version)}`,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('says the same as `engines` of its package', async () => {
    const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { engines: object };
    expect(engines).toEqual({ node: '^24.15.0 || >=26' });
  });

  it('is executable, and begins with what an old Node.js can parse', async () => {
    const { mode } = await stat(program);
    expect(mode & 0o111).toBe(0o111);
    const text = await readFile(program, 'utf8');
    expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect(text).not.toMatch(/^import |\?\.|\?\?|await|=>.*=>/m);
  });

  it('runs, from a link', async () => {
    const { code, stdout, stderr } = await shell('sailmark version');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^sailmark \d/);
  });
});

describe('output that cannot be written', () => {
  it.each(['--help', 'version', 'keys --key KEY -o json', 'match-conditions', 'IMAGES'])(
    'to a full disk is an error in one line: %s',
    async (argv) => {
      const line = argv === 'IMAGES' ? await manyImages(30) : `sailmark ${argv.replace('KEY', KEY)}`;
      const { code, stderr } = await shell(`${line} > /dev/full`);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: 'Error: cannot write to standard output: ENOSPC: no space left on device, write\n',
      });
    },
  );

  it('to a reader that has enough is no error', async () => {
    const { stdout, stderr } = await shell(`${await manyImages(300)} | head -n 1`);
    expect({ stdout, stderr }).toEqual({
      stdout: expect.stringMatching(/:1\.0: undetermined\n$/),
      stderr: '',
    });
  });

  it('of errors, to a full disk, ends with the same code', async () => {
    expect((await shell('sailmark verfy 2> /dev/full')).code).toBe(1);
  });
});

describe('a directory in place of a file', () => {
  it.each([
    'sailmark verify -f . x',
    'sailmark verify --config . x',
    'sailmark verify --ca-file . x',
    'sailmark verify --trusted-root . --transparency-log require x',
    'sailmark check-config --config .',
    'sailmark verify -f - < .',
  ])('is an error without a stack: %s', async (line) => {
    const { code, stdout, stderr } = await shell(line);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('hundreds of images', () => {
  it('are printed one by one, in their order, and end with a summary', async () => {
    const { code, stdout, stderr } = await shell(await manyImages(250));
    expect({ code, stderr }).toEqual({ code: 20, stderr: '' });
    const numbers = [...stdout.matchAll(/pilot:1\.(\d+): undetermined$/gm)].map(([, number]) =>
      Number(number),
    );
    expect(numbers).toEqual(Array.from({ length: 250 }, (_, index) => index));
    expect(stdout.endsWith('\n\n250 images: 250 undetermined\n')).toBe(true);
  });

  it('are one JSON document', async () => {
    const { stdout } = await shell(`${await manyImages(250)} -o json`);
    const document = JSON.parse(stdout) as { readonly images: readonly object[] };
    expect(document.images).toHaveLength(250);
    expect(stdout).toBe(`${JSON.stringify(document, null, 2)}\n`);
  });
});
