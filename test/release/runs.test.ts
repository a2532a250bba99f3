import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { blobPath, type Manifest, readJsonBlob, sha256 } from '../../.ci/ship/layout.ts';
import { unacceptable } from '../chart/artifact-hub.ts';
import { type ProgramResult, runOrThrow, runProgram } from '../e2e/tools.ts';
import { variable } from './registry.ts';
import { checking, installPackage, made, places, readSummary, shell } from './tools.ts';

/* What was published runs: the npm package, the archives, the image for both platforms, the chart. */

const POD = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers: [{name: istio-proxy, image: registry.example/tools/proxyv2:1}]
`;

type Run = (...argv: readonly string[]) => Promise<ProgramResult>;

/** Asks a program for its version, to verify the image of the release, and to review a pod with an unsigned sidecar. */
const use = async (run: Run) => {
  const { commit, image } = readSummary();
  const { home, out, version } = made();
  const key = join(places(out).files, 'sailmark.pub');
  const pod = join(home, 'pod.yaml');
  writeFileSync(pod, POD);
  const said = await run('version');
  const reference = `${image.repository}@${image.digest}`;
  const verified = await run('verify', '--key', key, '--allow-http-registry', reference);
  const strange = await run(
    'verify',
    '--key',
    join(home, 'stranger.pub'),
    '--allow-http-registry',
    reference,
  );
  const reviewed = await run('review', '--key', key, '-f', pod);
  return {
    version: said.stdout.includes(version) && said.stdout.includes(commit.slice(0, 7)) ? 'its own' : said,
    verified: verified.code,
    'verified with another key': strange.code,
    reviewed: reviewed.stdout.includes('image-look-alike') ? reviewed.code : reviewed,
  };
};
const WORKS = { version: 'its own', verified: 0, 'verified with another key': 12, reviewed: 30 };

/** Unpacks the layers of an image, and returns its root file system. */
const unpackImage = async (platform: string): Promise<string> => {
  const { image } = readSummary();
  const { image: layout } = places(made().out);
  const digest = image.platforms.find((one) => one.platform === platform)?.digest ?? '';
  const root = join(made().home, `root-${platform.replace('/', '-')}`);
  if (existsSync(root)) return root;
  mkdirSync(root);
  for (const layer of readJsonBlob<Manifest>(layout, { digest }).layers)
    await runOrThrow('tar', ['-xf', blobPath(layout, layer.digest), '-C', root, '--no-same-owner']);
  return root;
};

describe('the npm package', () => {
  it('works where npm put it', async () => {
    const program = await installPackage();
    expect(await use((...argv) => runProgram(program, argv, { env: checking() }))).toEqual(WORKS);
  });
});

describe('the archive', () => {
  it('works where there is no Node', async () => {
    const { home, out, version } = made();
    const directory = join(home, 'unpacked');
    mkdirSync(directory);
    const archive = join(places(out).files, `sailmark-${version}-linux-amd64.tar.gz`);
    await runOrThrow('tar', ['-xzf', archive, '-C', directory]);
    const found = await promisify(execFile)('find', [directory, '-name', 'sailmark', '-not', '-type', 'd']);
    const [program = ''] = found.stdout.trim().split('\n');
    const env = Object.entries({ ...checking(), PATH: '/nowhere' }).map(
      ([name, value]) => `${name}=${value}`,
    );
    expect(await use((...argv) => runProgram('/usr/bin/env', ['-i', ...env, program, ...argv]))).toEqual(
      WORKS,
    );
  });
});

describe('the image', () => {
  let bundle: ReadonlyMap<string, string>;
  const filesOf = (directory: string): ReadonlyMap<string, string> =>
    new Map(readdirSync(directory).map((name) => [name, sha256(readFileSync(join(directory, name)))]));
  beforeAll(async () => {
    bundle = filesOf(join(await unpackImage('linux/amd64'), 'app'));
  });

  it('holds the same program as the npm package, for both platforms', async () => {
    expect(filesOf(join(await unpackImage('linux/arm64'), 'app'))).toEqual(bundle);
    const installed = filesOf(join(made().home, 'prefix', 'lib', 'node_modules', 'sailmark', 'dist'));
    const programs = [...installed].filter(([name]) => name.endsWith('.js'));
    expect(programs.length).toBeGreaterThan(5);
    expect(programs.filter(([name, hash]) => bundle.get(name) !== hash)).toEqual([]);
  });

  it('runs for amd64', async () => {
    const root = await unpackImage('linux/amd64');
    const node = `${root}/nodejs/bin/node`;
    const run: Run = (...argv) => runProgram(node, [`${root}/app/main.js`, ...argv], { env: checking() });
    expect(await use(run)).toEqual(WORKS);
  });

  it('runs for arm64, under qemu', async () => {
    const root = await unpackImage('linux/arm64');
    const emulator = ['-L', root, `${root}/nodejs/bin/node`];
    const qemu = (...argv: readonly string[]): Promise<ProgramResult> =>
      runProgram(variable('QEMU_ARM64'), [...emulator, ...argv], { env: checking() });
    expect(await qemu('-p', 'process.arch')).toMatchObject({ code: 0, stdout: 'arm64\n' });
    expect(await use((...argv) => qemu(`${root}/app/main.js`, ...argv))).toEqual(WORKS);
  });
});

describe('the chart', () => {
  const helm = (...argv: readonly string[]): Promise<ProgramResult> =>
    shell([variable('HELM'), ...argv].join(' '));
  const chart = (): string =>
    `oci://${made().registry}/charts/sailmark --plain-http --version ${made().version}`;

  it('renders the image of the release by its digest, from the registry', async () => {
    const { image } = readSummary();
    const { code, stdout } = await helm('template', 'sailmark', chart(), '--namespace', 'sailmark');
    expect(code).toBe(0);
    expect(stdout).toContain(`image: "${image.repository}@${image.digest}"`);
  });

  it('says what it is: versions, changes, links, and the image that it runs', async () => {
    const { image, version } = readSummary();
    const { stdout } = await helm('show', 'chart', chart());
    expect(stdout).toMatch(new RegExp(`^version: ${version}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^appVersion: ${version}$`, 'm'));
    expect(stdout).toContain(`image: ${image.repository}:${version}@${image.digest}`);
    expect(stdout).toMatch(/- kind: added\n +description: \S/);
    const { annotations } = load(stdout) as { readonly annotations: Readonly<Record<string, string>> };
    expect(unacceptable(annotations)).toEqual([]);
    expect(stdout).toContain('https://git.example/sailmark/blob/v9.8.7/docs/download.md');
  });
});
