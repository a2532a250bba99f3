import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Digest, digestOf } from '../../../src/image/index.ts';
import {
  checkIsLayout,
  createLayoutWriter,
  type EvidenceEntry,
  imageEntry,
  openLayout,
  signatureEntry,
} from '../../../src/registry/index.ts';
import { bundleManifest, bundleOf } from '../../support/bundle-kit.ts';
import { createLayoutOnDisk, temporaryDirectory } from '../../support/layout.ts';
import {
  createSigner,
  imageIndex,
  imageManifest,
  sign,
  signatureManifest,
  signatureTag,
} from '../../support/signing-kit.ts';

const LIMITS = { manifestBytes: 100_000, blobBytes: 100_000 };
const PILOT = 'docker.io/istio/pilot';
const { signal } = new AbortController();
const signer = createSigner();

const open = (directory: string) => openLayout(directory, LIMITS).open(PILOT);
const imagesIn = (directory: string) => openLayout(directory, LIMITS).images();
const read = (directory: string, name = 'index.json'): string => readFileSync(join(directory, name), 'utf8');

interface Signed {
  readonly image: ReturnType<typeof imageManifest>;
  readonly entry: EvidenceEntry;
}

const signed = (seed: string): Signed => {
  const image = imageManifest(seed);
  const layer = sign(signer, PILOT, image.digest);
  const entry = signatureEntry({
    manifest: signatureManifest([layer]),
    tag: signatureTag(image.digest),
    blob: layer.payload,
  });
  return { image, entry };
};

/** The content of every file in a directory, by path. */
const contentOf = (directory: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .toSorted()
      .map((path) => [path.slice(directory.length + 1), readFileSync(path, 'base64')]),
  );

describe('a directory that is no layout', () => {
  it.each<[string, (directory: string) => void]>([
    ['somebody’s files', (directory) => writeFileSync(join(directory, 'thesis.tex'), 'x')],
    ['only an index.json', (directory) => writeFileSync(join(directory, 'index.json'), '{"manifests":[]}')],
    ['only blobs', (directory) => mkdirSync(join(directory, 'blobs'))],
  ])('is refused and left as it is: %s', async (_, fill) => {
    const directory = temporaryDirectory('filled');
    fill(directory);
    const before = contentOf(directory);
    const message = `${directory} is neither empty nor an OCI image layout; choose another directory`;
    await expect(createLayoutWriter(directory).add([signed('pilot').entry])).rejects.toThrow(message);
    await expect(checkIsLayout(directory)).rejects.toThrow(message);
    expect(contentOf(directory)).toEqual(before);
  });

  it('is an error that names the path where it is a file, or below one', async () => {
    const file = join(temporaryDirectory('filled'), 'file');
    writeFileSync(file, 'x');
    for (const directory of [file, join(file, 'below')]) {
      await expect(createLayoutWriter(directory).add([signed('pilot').entry])).rejects.toThrow(directory);
      await expect(checkIsLayout(directory)).rejects.toThrow(directory);
    }
    expect(readFileSync(file, 'utf8')).toBe('x');
  });

  it.each([
    'lost+found',
    '.snapshot',
    'sailmark-tags.json',
    'sailmark-tags.json.0b1c.tmp',
    'oci-layout.0b1c.tmp',
  ])('is as good as empty with nothing but %s', async (name) => {
    const directory = temporaryDirectory('filled');
    writeFileSync(join(directory, name), 'x');
    await createLayoutWriter(directory).add([signed('pilot').entry]);
    expect(await imagesIn(directory)).toHaveLength(1);
  });
});

describe('an index of somebody else', () => {
  it.each(['', '{"schemaVersion":2,"manif', '[]', '{"manifests":{}}', '{"manifests":[null]}'])(
    'that is none is not written over: %j',
    async (content) => {
      const layout = createLayoutOnDisk();
      layout.writeIndex(content);
      const { entry } = signed('pilot');
      const path = join(layout.directory, 'index.json');
      await expect(createLayoutWriter(layout.directory).add([entry])).rejects.toThrow(
        `${path} is not an image index; move it away`,
      );
      expect(read(layout.directory)).toBe(content);
    },
  );

  it('whose manifests are null takes the first entry', async () => {
    const layout = createLayoutOnDisk();
    layout.writeIndex('{"schemaVersion":2,"manifests":null}');
    await createLayoutWriter(layout.directory).add([signed('pilot').entry]);
    expect(await imagesIn(layout.directory)).toHaveLength(1);
  });

  it('keeps what it says, known here or not', async () => {
    const layout = createLayoutOnDisk();
    const theirs = {
      mediaType: 'text/plain',
      digest: 'sha512:ab',
      size: 1,
      urls: ['https://x.example'],
      annotations: { a: 'b' },
    };
    const odd = { digest: 1, annotations: null };
    layout.writeIndex(JSON.stringify({ schemaVersion: 2, manifests: [theirs, odd] }));
    const { entry } = signed('pilot');
    await createLayoutWriter(layout.directory).add([entry]);
    const { manifests } = JSON.parse(read(layout.directory)) as { manifests: unknown[] };
    expect(manifests.slice(0, 2)).toEqual([theirs, odd]);
    expect(manifests).toHaveLength(3);
  });
});

describe('a failed addition', () => {
  it('leaves what was there, and the next one succeeds', async () => {
    const layout = createLayoutOnDisk();
    const writer = createLayoutWriter(layout.directory);
    const [first, second] = [signed('one'), signed('two')];
    await writer.add([first.entry]);
    const whole = read(layout.directory);
    layout.writeIndex('{');
    await expect(writer.add([second.entry])).rejects.toThrow('is not an image index');
    layout.writeIndex(whole);
    await writer.add([second.entry]);
    expect(await imagesIn(layout.directory)).toHaveLength(2);
    expect(Object.keys(contentOf(layout.directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('what is added', () => {
  const add = async (...entries: readonly EvidenceEntry[]): Promise<string> => {
    const directory = join(temporaryDirectory('written'), 'deep', 'evidence');
    await createLayoutWriter(directory).add(entries);
    return directory;
  };

  it('is a layout by the specification, with nothing else in it', async () => {
    const { image, entry } = signed('pilot');
    const directory = await add(entry, imageEntry(image, 'image', `${PILOT}:1.28.0`));
    expect(JSON.parse(read(directory, 'oci-layout'))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(JSON.parse(read(directory))).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: entry.manifest.mediaType,
          digest: entry.manifest.digest,
          size: entry.manifest.bytes.length,
          annotations: {
            kind: 'dev.cosignproject.cosign/sigs',
            'org.opencontainers.image.ref.name': signatureTag(image.digest),
          },
        },
        {
          mediaType: image.mediaType,
          digest: image.digest,
          size: image.bytes.length,
          annotations: {
            kind: 'dev.cosignproject.cosign/image',
            'org.opencontainers.image.ref.name': `${PILOT}:1.28.0`,
          },
        },
      ],
    });
    const digests = [entry.manifest.digest, image.digest, ...entry.blobs.map(digestOf)];
    expect(Object.keys(contentOf(directory))).toEqual(
      ['index.json', 'oci-layout', ...digests.map((digest) => `blobs/sha256/${digest.slice(7)}`)].toSorted(),
    );
    expect(statSync(join(directory, 'index.json')).mode & 0o777).toBe(0o644);
  });

  it('is read again as it was', async () => {
    const { image, entry } = signed('pilot');
    const index = imageIndex('proxyv2');
    const bundle = bundleOf(signer, index.digest);
    const bundled = signatureEntry({
      manifest: bundleManifest(bundle, index.digest),
      tag: undefined,
      blob: bundle,
    });
    const directory = await add(entry, bundled, imageEntry(index, 'index', `${PILOT}:1.28.0`));
    const source = open(directory);
    expect(await source.manifest({ tag: signatureTag(image.digest) }, signal)).toMatchObject({
      digest: entry.manifest.digest,
      bytes: entry.manifest.bytes,
    });
    expect(await source.blob(digestOf(bundle), signal)).toEqual(bundle);
    expect((await source.referrers(index.digest, signal)).descriptors).toMatchObject([
      { digest: bundled.manifest.digest },
    ]);
    expect(await source.resolve('1.28.0', signal)).toBe(index.digest);
    expect(await imagesIn(directory)).toEqual([
      { digest: index.digest, names: [`${PILOT}:1.28.0`], kind: 'index', signatures: 0, referrers: 1 },
      { digest: image.digest, names: [], kind: undefined, signatures: 1, referrers: 0 },
    ]);
  });

  it('twice is there once, and writes nothing the second time', async () => {
    const { entry } = signed('pilot');
    const directory = await add(entry);
    const before = statSync(join(directory, 'index.json'));
    await createLayoutWriter(directory).add([entry]);
    const after = statSync(join(directory, 'index.json'));
    expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
    expect(JSON.parse(read(directory)).manifests).toHaveLength(1);
  });

  it('under two names is there under both', async () => {
    const image = imageManifest('pilot');
    const directory = await add(
      imageEntry(image, 'image', `${PILOT}:1`),
      imageEntry(image, 'image', `${PILOT}:2`),
    );
    expect(await imagesIn(directory)).toMatchObject([{ names: [`${PILOT}:1`, `${PILOT}:2`] }]);
  });

  it.each<[string, (path: string, size: number) => void]>([
    ['cut short', (path) => truncateSync(path, 3)],
    ['damaged at its full length', (path, size) => writeFileSync(path, Buffer.alloc(size, 'x'))],
  ])('mends a blob that is %s', async (_, spoil) => {
    const { entry } = signed('pilot');
    const directory = await add(entry);
    const path = join(directory, 'blobs', 'sha256', entry.manifest.digest.slice(7));
    spoil(path, entry.manifest.bytes.length);
    await createLayoutWriter(directory).add([entry]);
    expect(digestOf(readFileSync(path))).toBe(entry.manifest.digest);
  });

  it('leaves a blob that is whole', async () => {
    const { entry } = signed('pilot');
    const directory = await add(entry);
    const path = join(directory, 'blobs', 'sha256', entry.manifest.digest.slice(7));
    const { ino } = statSync(path);
    await createLayoutWriter(directory).add([entry]);
    expect(statSync(path).ino).toBe(ino);
  });
});

describe('many additions at once', () => {
  const many = (name: string): readonly Signed[] =>
    Array.from({ length: 50 }, (_, place) => signed(`${name} ${place}`));

  it.each([1, 2])('lose none, by %d writers', async (count) => {
    const directory = temporaryDirectory('many');
    const writers = Array.from({ length: count }, () => createLayoutWriter(directory));
    const all = many(`${count}`);
    await Promise.all(
      writers.flatMap((writer, place) =>
        all.filter((_, nth) => nth % count === place).map(({ entry }) => writer.add([entry])),
      ),
    );
    const found = await imagesIn(directory);
    expect(new Set(found.map(({ digest }) => digest))).toEqual(new Set(all.map(({ image }) => image.digest)));
  });

  it.each([1, 2])('are never seen half done, by %d writers', async (count) => {
    const directory = temporaryDirectory('many');
    const writers = Array.from({ length: count }, () => createLayoutWriter(directory));
    await Promise.all(writers.map((writer) => writer.add([])));
    const all = many(`${count}`);
    const ended = new AbortController();
    let looks = 0;
    const look = async (): Promise<void> => {
      const source = open(directory);
      while (!ended.signal.aborted) {
        await imagesIn(directory);
        const { manifests } = JSON.parse(read(directory)) as { manifests: { digest: Digest }[] };
        for (const { digest } of manifests) {
          const manifest = await source.manifest({ digest }, signal);
          const { layers } = JSON.parse(Buffer.from(manifest?.bytes ?? '').toString());
          expect(await source.blob(layers[0].digest, signal)).toBeDefined();
        }
        looks += 1;
      }
    };
    const looking = look();
    const adding = writers.flatMap((writer, place) =>
      all.filter((_, nth) => nth % count === place).map(({ entry }) => writer.add([entry])),
    );
    await Promise.all(adding).finally(() => ended.abort());
    await looking;
    expect(looks).toBeGreaterThan(1);
    const source = open(directory);
    for (const { entry } of all) {
      expect(await source.manifest({ digest: entry.manifest.digest }, signal)).toBeDefined();
      for (const blob of entry.blobs) expect(await source.blob(digestOf(blob), signal)).toBeDefined();
    }
  });
});

/** A program that adds one image after the other, and prints a line after each. */
const PROGRAM = `
  const [registry, image, directory] = process.argv.slice(1);
  const { createLayoutWriter, imageEntry } = await import(registry);
  const { digestOf } = await import(image);
  const writer = createLayoutWriter(directory);
  for (let count = 0; ; count += 1) {
    const bytes = Buffer.from(JSON.stringify({ count, padding: 'x'.repeat(50_000) }));
    await writer.add([imageEntry({ digest: digestOf(bytes), mediaType: undefined, bytes }, 'image', 'x:' + count)]);
    process.stdout.write(count + '\\n');
  }
`;

const startAdding = (directory: string): ChildProcess => {
  const sources = ['registry', 'image'].map(
    (room) => new URL(`../../../src/${room}/index.ts`, import.meta.url).href,
  );
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, ...sources, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};

describe('a process that is killed while it adds', () => {
  it('leaves a layout that is whole, and the next one goes on', async () => {
    const directory = temporaryDirectory('killed');
    for (let round = 0; round < 4; round += 1) {
      const child = startAdding(directory);
      let lines = 0;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdout?.on('data', (chunk: Buffer) => {
        lines += chunk.toString().split('\n').length - 1;
        if (lines > 3 + round) child.kill('SIGKILL');
      });
      await ended;
      expect(lines).toBeGreaterThan(0);
      const images = await imagesIn(directory);
      expect(images.length).toBeGreaterThanOrEqual(lines);
      for (const { digest } of images)
        expect(await open(directory).manifest({ digest }, signal)).toBeDefined();
      await expect(checkIsLayout(directory)).resolves.toBeUndefined();
    }
    await createLayoutWriter(directory).add([signed('pilot').entry]);
  });

  it('finds its own directory again, for the mark of a layout is the first thing written', async () => {
    const directory = temporaryDirectory('killed');
    const watching = watch(directory);
    const first = new Promise((resolve) => watching.once('change', (_, name) => resolve(name)));
    await createLayoutWriter(directory).add([signed('pilot').entry]);
    expect(await first).toMatch(/^oci-layout/);
    watching.close();
  });
});
