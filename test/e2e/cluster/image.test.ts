import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import {
  type BuiltImage,
  entriesOf,
  entriesOfRoot,
  type Layer,
  type LayerEntry,
  readImage,
  rootOfImage,
  runnable,
} from './built-image.ts';
import { type Cluster, startCluster } from './cluster.ts';

/*
 * The image that the Dockerfile builds. Public base images are not pulled: the stand-in for the distroless base is made
 * of the same Debian packages, and tests of the base test that stand-in. What the Dockerfile adds is real. The image
 * for arm64 is built and compared; it cannot run here.
 */

const MEBIBYTE = 2 ** 20;
const mebibytes = (bytes: number): string => `${(bytes / MEBIBYTE).toFixed(1)} MiB`;

const sizeOf = (layers: readonly Layer[]): number => layers.reduce((sum, { size }) => sum + size, 0);

/** Returns the layers that an image adds to its base. */
const above = (image: BuiltImage, base: BuiltImage): readonly Layer[] => {
  expect(image.config.rootfs.diff_ids.slice(0, base.layers.length)).toEqual(base.config.rootfs.diff_ids);
  return image.layers.slice(base.layers.length);
};

/** Parses the status of a process (proc_pid_status(5)). */
const fieldsOf = (status: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    status.split('\n').map((line) => {
      const [name = '', value = ''] = line.split(':\t');
      return [name, value.replaceAll('\t', ' ')];
    }),
  );

describe('the image that the Dockerfile builds', () => {
  let image: BuiltImage;
  let added: readonly Layer[];
  let entries: readonly LayerEntry[];
  beforeAll(async () => {
    image = await readImage('sailmark');
    const base = await readImage('base');
    added = above(image, base);
    entries = (await Promise.all(added.map(entriesOf))).flat();
    const files = entries.filter(({ mode }) => mode.startsWith('-'));
    const unpacked = files.reduce((sum, { size }) => sum + size, 0);
    console.log(
      [
        `image: ${mebibytes(sizeOf(image.layers))} to pull, of which ${mebibytes(sizeOf(base.layers))} are the stand-in for the base and ${mebibytes(sizeOf(added))} are ours (${mebibytes(unpacked)} in ${files.length} files)`,
        ...files.map(({ size, path }) => `${size.toString().padStart(9)}  /${path}`),
      ].join('\n'),
    );
  });

  it('adds to its base the bundle and its licences, and nothing else', () => {
    const kinds = /^app\/(?:[\w-]+\.js|[\w-]+\.js\.LEGAL\.txt|LICENSES\.txt|LICENSE|package\.json)$/;
    const strange = entries.filter(({ path }) => path !== 'app' && !kinds.test(path));
    expect(strange).toEqual([]);
    const paths = entries.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['app/main.js', 'app/package.json', 'app/LICENSE', 'app/LICENSES.txt']),
    );
  });

  it('adds nothing that its user could change or that is a program of its own', () => {
    const expected = entries.map(({ path }) => ({
      path,
      owner: '0/0',
      mode: expect.stringMatching(path === 'app' ? /^drwxr-xr-x$/ : /^-r[w-]-r--r--$/) as string,
    }));
    expect(entries.map(({ path, owner, mode }) => ({ path, owner, mode }))).toEqual(expected);
  });

  it('says how it is run: as a user by number, with no shell in between', () => {
    const { User, Entrypoint, Cmd, Env, ExposedPorts, Volumes, Labels } = image.config.config;
    expect({ User, Entrypoint, Cmd, ExposedPorts, Volumes }).toEqual({
      User: '65532:65532',
      Entrypoint: ['/nodejs/bin/node', '/app/main.js'],
      Cmd: ['--help'],
    });
    expect(Env?.filter((pair) => !pair.startsWith('PATH='))).toEqual(['NODE_ENV=production']);
    expect(Labels).toMatchObject({
      'org.opencontainers.image.title': 'sailmark',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
  });

  it('has no shell, no npm and no private key inside', async () => {
    const found = await entriesOfRoot();
    const paths = found.map(({ path }) => path);
    expect(paths).toContain('/nodejs/bin/node');
    const tools =
      /^(?:ba|da|a|k|z|c|tc|fi)?sh$|^busybox$|^(?:npm|npx|corepack|yarn|pnpm)(?:-cli)?(?:\.c?js)?$|^(?:apt|dpkg|curl|wget)$/;
    expect(paths.filter((path) => tools.test(basename(path)) || path.includes('/node_modules/'))).toEqual([]);
    const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64}/;
    const withKey: string[] = [];
    for (const { path } of found.filter(({ isFile }) => isFile))
      if (key.test(await readFile(join(rootOfImage(), path), 'latin1'))) withKey.push(path);
    expect(withKey).toEqual([]);
  });

  it('is the same for arm64, byte for byte, above a base of that kind', async () => {
    const other = await readImage('sailmark-arm64');
    const theirs = above(other, await readImage('base-arm64'));
    expect(theirs.map(({ digest, size }) => ({ digest, size }))).toEqual(
      added.map(({ digest, size }) => ({ digest, size })),
    );
    expect(other.config.architecture).toBe('arm64');
    expect(other.config.config).toEqual(image.config.config);
  });
});

describe('the image that the Dockerfile builds, run by the chart', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    const image = runnable(await readImage('sailmark'));
    cluster = await startCluster({ image: () => image });
  });
  afterAll(() => cluster?.stop());

  const tryPod = async (name: string, image: string) => {
    const pod: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'istio-proxy', image }] },
    };
    const { status, body } = await cluster.api.tryCreate(pod);
    return { status, message: (body as { readonly message?: string }).message };
  };

  it('judges as an enforcing release', async () => {
    const signed = cluster.publish('proxyv2', '1.24.0');
    const unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
    // On a volume, the only place where a file can be written.
    await cluster.install({ mode: 'enforce', evidence: { write: { kind: 'emptyDir' } } });
    expect(await tryPod('unsigned', unsigned)).toEqual({
      status: 403,
      message: expect.stringContaining('no signature was found (signature-missing)') as string,
    });
    expect(await tryPod('signed', signed)).toMatchObject({ status: 201 });
  });

  it('runs as no root, with a root file system that is only read, and no way to more rights', async () => {
    for (const { process: running } of await cluster.kubelet.untilReady(2)) {
      const proc = `/proc/${running?.pid}`;
      const line = await readFile(`${proc}/cmdline`, 'utf8');
      expect(line.split('\0').slice(0, 3)).toEqual(['/nodejs/bin/node', '/app/main.js', 'serve']);
      expect(fieldsOf(await readFile(`${proc}/status`, 'utf8'))).toMatchObject({
        Uid: '65532 65532 65532 65532',
        Gid: '65532 65532 65532 65532',
        CapPrm: '0000000000000000',
        CapEff: '0000000000000000',
        NoNewPrivs: '1',
      });
      for (const place of ['app', 'tmp', 'etc/sailmark'])
        await expect(writeFile(`${proc}/root/${place}/written`, '')).rejects.toThrow('EROFS');
    }
  });

  it('keeps what it verified in the one place that it may write to', async () => {
    const pods = await cluster.kubelet.untilReady(2);
    const kept = await until('stored evidence, whose index is written last', async () => {
      const places = pods.map(({ process: running }) => `/proc/${running?.pid}/root/var/lib/sailmark`);
      const found = (await Promise.all(places.map((place) => readdir(place)))).flat();
      return found.includes('index.json') && found;
    });
    expect(kept).toContain('blobs');
  });
});
