import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { variable } from './registry.ts';
import { installPackage, made, places, shell } from './tools.ts';

/*
 * Types every command of docs/download.md, in its order, with nothing changed but names: where the release is, who signs, and that
 * the registry on loopback speaks plain HTTP. Then it types them against a release that was tampered with.
 */

const PAGE = readFileSync(new URL('../../docs/download.md', import.meta.url), 'utf8');

/** The lines of the page's blocks of shell, by section. */
const commandsIn = (heading: string): readonly string[] => {
  const [, rest = ''] = PAGE.split(`\n## ${heading}\n`);
  const [section = ''] = rest.split('\n## ');
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap(([, block = '']) => block.trim().split('\n'))
    .map((line) => line.replace(/\s+#.*$/, ''));
};

const FILES = commandsIn('Files');
const IMAGE = commandsIn('The image');
const CHART = commandsIn('The chart');
const INSIDE = commandsIn('What is inside');
const PROVENANCE = commandsIn('Provenance');

let directory: string;
let names: string;
beforeAll(async () => {
  const { version, registry, home, out } = made();
  directory = join(home, 'downloads');
  cpSync(places(out).files, directory, { recursive: true });
  const sailmark = await installPackage();
  names = [
    `cosign() { ${variable('COSIGN')} "$@"; }`,
    `sailmark() { ${sailmark} "$@"; }`,
    `helm() { ${variable('HELM')} "$@"; }`,
    ...commandsIn('Who signs').map((line) => {
      if (line.startsWith('VERSION=')) return `VERSION=${version}`;
      if (line.startsWith('REGISTRY=')) return `REGISTRY=${registry}`;
      if (line === 'SIGNER="--key sailmark.pub"') return 'SIGNER="--key sailmark.pub --insecure-ignore-tlog"';
      throw new Error(`the page has a name that the test does not know: ${line}`);
    }),
    'FILE=sailmark-$VERSION-linux-amd64.tar.gz',
  ].join('\n');
});

/** Adds the flags that a registry over plain HTTP needs. */
const overHttp = (line: string): string =>
  line.replace(/^sailmark verify /, '$&--allow-http-registry ').replace(/^helm pull /, '$&--plain-http ');

const type = (line: string, cwd = directory) => shell(`${names}\n${overHttp(line)}`, cwd);

describe('the commands of docs/download.md', () => {
  it('are there', () => {
    expect([FILES, IMAGE, CHART, INSIDE, PROVENANCE].map(({ length }) => length)).toEqual([5, 2, 4, 2, 3]);
  });

  it('succeed, each as it stands', async () => {
    for (const line of [...FILES, ...IMAGE, ...CHART, ...INSIDE, ...PROVENANCE]) {
      const { code, stderr } = await type(line);
      expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({ line, code: 0, stderr: '' });
    }
  });

  it.each(
    [...FILES, ...IMAGE, ...CHART, ...INSIDE, ...PROVENANCE].filter((line) => /\$SIGNER|--key/.test(line)),
  )('fail with another key: %s', async (line) => {
    const elsewhere = join(made().home, 'strange');
    cpSync(directory, elsewhere, { recursive: true });
    cpSync(join(made().home, 'stranger.pub'), join(elsewhere, 'sailmark.pub'));
    const { code } = await type(line, elsewhere);
    expect(code).not.toBe(0);
  });
});

describe('a file that was changed after it was signed fails every command about it:', () => {
  let tampered: string;
  beforeAll(() => {
    tampered = join(made().home, 'tampered');
  });
  /** The release, with one byte of a file changed. */
  const changed = (name: string): string => {
    cpSync(directory, tampered, { recursive: true, force: true });
    const file = join(tampered, name);
    const bytes = readFileSync(file);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    return tampered;
  };
  /** Lines that succeed, and must not. */
  const succeeding = async (lines: readonly string[], cwd: string): Promise<readonly string[]> => {
    const codes = await Promise.all(lines.map(async (line) => (await type(line, cwd)).code));
    return lines.filter((_line, index) => codes[index] === 0);
  };
  const aboutSbom = INSIDE.filter((line) => line.includes('verify-blob'));

  it('the archive, by the list of checksums, its signature and its provenance', async () => {
    const cwd = changed(`sailmark-${made().version}-linux-amd64.tar.gz`);
    const about = [...FILES, ...PROVENANCE].filter((line) => /^sha256sum|verify-blob.*\$FILE$/.test(line));
    expect(about).toHaveLength(4);
    expect(await succeeding(about, cwd)).toEqual([]);
  });

  it('the list of checksums', async () => {
    expect(await succeeding(FILES.slice(0, 1), changed('SHA256SUMS'))).toEqual([]);
  });

  it('the SBOM', async () => {
    const cwd = changed(`sailmark-${made().version}.cdx.json`);
    expect(await succeeding(aboutSbom, cwd)).toEqual([]);
  });

  it('the chart', async () => {
    const { version } = made();
    const cwd = changed(`sailmark-chart-${version}.tgz`);
    mkdirSync(join(cwd, 'chart'), { recursive: true });
    cpSync(join(cwd, `sailmark-chart-${version}.tgz`), join(cwd, 'chart', `sailmark-${version}.tgz`));
    const about = [...CHART, ...FILES].filter((line) =>
      /^sha256sum|^cosign verify-blob.* chart\//.test(line),
    );
    expect(about).toHaveLength(2);
    expect(await succeeding(about, cwd)).toEqual([]);
  });

  it('a file beside which lies the signature of another', async () => {
    const cwd = changed('SHA256SUMS');
    const bundle = `sailmark-${made().version}.cdx.json.sigstore.json`;
    cpSync(join(directory, 'SHA256SUMS.sigstore.json'), join(cwd, bundle));
    expect(await succeeding(aboutSbom, cwd)).toEqual([]);
  });
});
