import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeArchive, writeArchives } from '../../../.ci/ship/archive.ts';
import type { Shipment } from '../../../.ci/ship/shipment.ts';
import { createLayoutOnDisk } from '../../support/layout.ts';
import { createSigner, imageManifest, sign, signatureManifest } from '../../support/signing-kit.ts';
import { execute, makeShipment, notRun } from '../shipment-kit.ts';

/* The archives, unpacked and run with nothing of this machine: no Node, no PATH, no network. arm64's runs under qemu. */

const qemu = process.env['QEMU_ARM64'];
const PLATFORMS = ['amd64', 'arm64'] as const;
type Platform = (typeof PLATFORMS)[number];

let shipment: Shipment;
let remove: () => Promise<void>;
let files: readonly string[];
let unpacked: string;
beforeAll(async () => {
  ({ remove, ...shipment } = await makeShipment());
  files = await writeArchives(shipment);
  unpacked = join(shipment.outDirectory, 'a directory with spaces');
  await mkdir(unpacked);
  for (const file of files) await execute('tar', ['-xzf', file, '-C', unpacked]);
});
afterAll(() => remove());

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const homeOf = (platform: Platform): string => join(unpacked, `sailmark-1.2.3-linux-${platform}`);

/** Runs a program, in another directory and with an empty environment. */
const run = (platform: Platform, program: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const line =
    platform === 'arm64' ? [qemu ?? '', '-L', process.env['ROOT_ARM64'] ?? '', program] : [program];
  const [command = '', ...first] = line;
  return new Promise<Result>((resolve) => {
    execFile(command, [...first, ...argv], { cwd: '/', env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
};

const [signer, stranger] = [createSigner(), createSigner()];

/** An image with its signature in a layout on disk, as `cosign save` writes them. */
const signedImage = (): string => {
  const layout = createLayoutOnDisk();
  const image = imageManifest('pilot');
  const parts = [
    [image, 'image'],
    [signatureManifest([sign(signer, 'docker.io/istio/pilot', image.digest)]), 'sigs'],
  ] as const;
  for (const [{ blobs, bytes, digest, mediaType }, kind] of parts) {
    for (const blob of blobs) layout.pushBlob('', blob.bytes);
    layout.pushBlob('', bytes);
    const annotations = { kind: `dev.cosignproject.cosign/${kind}` };
    layout.describe({ digest, mediaType, size: bytes.length, annotations });
  }
  return layout.directory;
};

const keyFile = async (name: string, pem: string): Promise<string> => {
  const file = join(shipment.outDirectory, name);
  await writeFile(file, pem);
  return file;
};

const runnable = (platform: Platform): boolean =>
  process.arch === 'x64' && (platform === 'amd64' || qemu !== undefined);

describe.each(PLATFORMS)('the archive for %s', (platform) => {
  it('holds one program, completions, licences and a README without links', async () => {
    const names = await readdir(homeOf(platform), { recursive: true });
    expect(names.toSorted((a, b) => a.localeCompare(b))).toEqual(
      [
        ...['_sailmark', 'sailmark.bash', 'sailmark.fish'].map((name) => `completions/${name}`),
        'completions',
        'LICENSE',
        'LICENSES.txt',
        'README.md',
        'sailmark',
      ].toSorted((a, b) => a.localeCompare(b)),
    );
    const [readme, notices, completion] = await Promise.all(
      ['README.md', 'LICENSES.txt', 'completions/sailmark.bash'].map((name) =>
        readFile(join(homeOf(platform), name), 'utf8'),
      ),
    );
    expect(readme).not.toMatch(/\]\(|https?:/);
    expect(notices).toMatch(/^Node\.js 26\.\d+\.\d+\n\nNode\.js is licensed for use/);
    expect(notices).toMatch(/^pino \d[^\n]* \(MIT\)$/m);
    expect(completion).toContain('complete');
  });

  it('belongs to nobody, and is of the time of the release', async () => {
    const { stdout } = await execute('tar', [
      '-tvzf',
      files[PLATFORMS.indexOf(platform)] ?? '',
      '--utc',
      '--numeric-owner',
    ]);
    const lines = stdout.trim().split('\n');
    expect(
      lines.filter(
        (line) => !/^[d-]rw[x-]r-[x-]r-[x-] 0\/0 +\d+ 2023-11-14 22:13 sailmark-1\.2\.3-linux-/.test(line),
      ),
    ).toEqual([]);
    expect(
      lines.filter((line) => line.startsWith('-rwxr-xr-x')).map((line) => line.split('/').at(-1)),
    ).toEqual(['sailmark']);
  });

  it('is for that processor', async () => {
    const head = (await readFile(join(homeOf(platform), 'sailmark'))).subarray(0, 20);
    // ELF, e_machine: 62 is x86-64, 183 is AArch64.
    expect([head.subarray(1, 4).toString(), head.readUInt16LE(18)]).toEqual([
      'ELF',
      platform === 'amd64' ? 62 : 183,
    ]);
  });
});

describe.each(PLATFORMS.filter(runnable))('the program for %s', (platform) => {
  const program = (): string => join(homeOf(platform), 'sailmark');

  it('refuses an image that somebody else signed, with no PATH at all', async () => {
    const key = await keyFile(`other-${platform}.pub`, stranger.publicPem);
    const { code, stdout } = await run(platform, program(), [
      'verify',
      '--key',
      key,
      '--local-image',
      signedImage(),
    ]);
    expect(stdout).toContain('(signer-untrusted)');
    expect(code).toBe(12);
  });

  it('verifies an image that the key signed', async () => {
    const key = await keyFile(`good-${platform}.pub`, signer.publicPem);
    const { code, stdout, stderr } = await run(platform, program(), [
      'verify',
      '--key',
      key,
      '--local-image',
      signedImage(),
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('verified');
  });

  it('reviews a pod', async () => {
    const containers = [{ name: 'istio-proxy', image: 'registry.example/team/proxyv2:1.30.0' }];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers } };
    const file = join(shipment.outDirectory, `pod-${platform}.json`);
    await writeFile(file, JSON.stringify(pod));
    const { code, stdout } = await run(platform, program(), ['review', '-f', file]);
    expect(stdout).toContain('(image-look-alike)');
    expect(code).toBe(30);
  });

  it('says its version from behind a link, and is not changed by NODE_OPTIONS', async () => {
    const link = join(shipment.outDirectory, `link-${platform}`);
    await symlink(program(), link);
    expect(await readlink(link)).toContain('a directory with spaces');
    const env = { PATH: '/nonexistent', NODE_OPTIONS: '--no-such-option --require /nonexistent.js' };
    const { code, stdout, stderr } = await run(platform, link, ['version'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^sailmark \d+\.\d+\.\d+\nnode {5}v26\.\d+\.\d+\ncommit {3}c0ffee\n$/);
  });

  it('names what is wrong, as the bundle does', async () => {
    const { code, stderr } = await run(platform, program(), ['verfy']);
    expect(code).toBe(1);
    expect(stderr).toContain('unknown command "verfy". Did you mean verify?\n');
  });
});

for (const platform of PLATFORMS.filter((one) => !runnable(one)))
  notRun(`the program for ${platform}: this machine cannot run it`);

describe('an archive that is written again', () => {
  it('has the same bytes, wherever it is written', async () => {
    const outDirectory = join(shipment.outDirectory, 'another directory');
    await mkdir(outDirectory);
    const again = await writeArchive({ ...shipment, outDirectory }, 'amd64');
    const hashOf = async (path: string) =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    expect(await hashOf(again)).toBe(await hashOf(files[0] ?? ''));
  }, 300_000);
});
