import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf, parseDigest } from '../../../src/image/index.ts';
import { openLayout, SourceFault } from '../../../src/registry/index.ts';
import { createLayoutContent } from '../../../src/registry/layout/layout-content.ts';
import { createReadIndex } from '../../../src/registry/layout/layout-index.ts';
import {
  bundleManifest,
  bundleOf,
  fallbackTag,
  pushBundle,
  pushFallbackIndex,
} from '../../support/bundle-kit.ts';
import { createLayoutOnDisk, type LayoutOnDisk, temporaryDirectory } from '../../support/layout.ts';
import {
  createSigner,
  imageIndex,
  imageManifest,
  push,
  pushSignatures,
  sign,
  signatureManifest,
  signatureTag,
} from '../../support/signing-kit.ts';

const LIMITS = { manifestBytes: 8192, blobBytes: 4096 };
const PILOT = 'docker.io/istio/pilot';
const { signal } = new AbortController();
const signer = createSigner();
const image = imageManifest('pilot');
const other = imageManifest('another');

const open = ({ directory }: { readonly directory: string }, repository = PILOT) =>
  openLayout(directory, LIMITS).open(repository);

/** The code of the fault that a promise rejects with, or its value if it resolves. */
const faultOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: unknown) => (error instanceof SourceFault ? error.code : error));

/** The result of each read of the image from a layout. */
const readAll = async (directory: string) => {
  const source = open({ directory });
  return {
    resolve: await faultOf(source.resolve('1.28.0', signal)),
    signatures: await faultOf(source.manifest({ tag: signatureTag(image.digest) }, signal)),
    referrers: await faultOf(source.referrers(image.digest, signal)),
    images: await faultOf(openLayout(directory, LIMITS).images()),
  };
};
const all = (what: string) => ({ resolve: what, signatures: what, referrers: what, images: what });

const layersOf = (manifest: { readonly bytes: Uint8Array } | undefined): readonly unknown[] =>
  manifest === undefined
    ? []
    : (JSON.parse(Buffer.from(manifest.bytes).toString()) as { layers: unknown[] }).layers;

describe('a directory that is no layout', () => {
  const missing = (): string => join(temporaryDirectory('none'), 'none');
  const withIndex = (content: string | Uint8Array) => (): string => {
    const layout = createLayoutOnDisk();
    layout.writeIndex(content);
    return layout.directory;
  };

  it.each<[string, () => string, string]>([
    ['is not there', missing, 'unavailable'],
    ['is empty', () => temporaryDirectory('none'), 'unavailable'],
    ['is a file', () => join(createLayoutOnDisk().directory, 'oci-layout'), 'unavailable'],
    ['has an empty index', withIndex(''), 'answer-invalid'],
    ['has half an index', withIndex('{"schemaVersion":2,"manifests":[{"digest":"sha2'), 'answer-invalid'],
    ['has an index that is a list', withIndex('[]'), 'answer-invalid'],
    ['has an index without manifests', withIndex('{"schemaVersion":2}'), 'answer-invalid'],
    ['has an index whose manifests are none', withIndex('{"manifests":{"0":{}}}'), 'answer-invalid'],
    ['has an index that is no UTF-8', withIndex(Buffer.of(0xff, 0xfe)), 'answer-invalid'],
    [
      'has an index of more than eight manifests’ length',
      withIndex(JSON.stringify({ manifests: [], padding: 'x'.repeat(8 * 8192) })),
      'answer-invalid',
    ],
    [
      'has a directory for an index',
      () => {
        const directory = temporaryDirectory('none');
        mkdirSync(join(directory, 'index.json'));
        return directory;
      },
      'unavailable',
    ],
    [
      'has a pipe for an index',
      () => {
        const directory = temporaryDirectory('none');
        execFileSync('mkfifo', [join(directory, 'index.json')]);
        return directory;
      },
      'answer-invalid',
    ],
    [
      'has an index without end',
      () => {
        const directory = temporaryDirectory('none');
        symlinkSync('/dev/zero', join(directory, 'index.json'));
        return directory;
      },
      'answer-invalid',
    ],
  ])('answers nothing where it %s', async (_, make, code) => {
    expect(await readAll(make())).toEqual(all(code));
  });

  it('is said to be unreadable, not absent, where its index cannot be reached', async () => {
    const directory = temporaryDirectory('loop');
    symlinkSync('index.json', join(directory, 'index.json'));
    await expect(open({ directory }).resolve('1.28.0', signal)).rejects.toThrow(
      `cannot read the evidence in ${directory}: ELOOP`,
    );
  });

  it('is named in the fault', async () => {
    const directory = missing();
    await expect(open({ directory }).resolve('1.28.0', signal)).rejects.toThrow(
      `there is no evidence in ${directory}: no index.json`,
    );
  });
});

describe('an index that lists what is none', () => {
  it.each(['{"schemaVersion":2,"manifests":null,"config":{}}', '{"manifests":"null"}'])(
    'is no index where it is %s',
    async (content) => {
      const layout = createLayoutOnDisk();
      layout.writeIndex(content);
      expect(await readAll(layout.directory)).toEqual(all('answer-invalid'));
    },
  );

  it('is empty where its manifests are null, as Go writes an empty list', async () => {
    const layout = createLayoutOnDisk();
    layout.writeIndex('{"schemaVersion":2,"manifests":null}');
    expect(await open(layout).resolve('1.28.0', signal)).toBeUndefined();
    expect(await openLayout(layout.directory, LIMITS).images()).toEqual([]);
  });

  const hex = 'a'.repeat(64);

  it.each([
    `sha256:${hex}/../../index.json`,
    '../../index.json',
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex}0`,
    `sha512:${hex}${hex}`,
    'sha256:',
    '',
  ])('leaves out %s', async (digest) => {
    const layout = createLayoutOnDisk();
    layout.describe({ digest, annotations: { 'org.opencontainers.image.ref.name': '1.28.0' } });
    push(layout, PILOT, image, '1.28.1');
    expect(await open(layout).resolve('1.28.0', signal)).toBeUndefined();
    expect(await open(layout).resolve('1.28.1', signal)).toBe(image.digest);
    expect(await openLayout(layout.directory, LIMITS).images()).toMatchObject([{ digest: image.digest }]);
  });

  it('leaves out what is no descriptor, and names that are no text', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, image, '1.28.0');
    const [good] = layout.descriptors;
    const none = [null, 1, 'x', [], {}, { digest: 1 }, { ...good, annotations: null }];
    const named = { ...good, annotations: { 'org.opencontainers.image.ref.name': 1, kind: [] } };
    layout.writeIndex(JSON.stringify({ manifests: [...none, named, good] }));
    expect(await open(layout).resolve('1.28.0', signal)).toBe(image.digest);
  });
});

describe('a blob', () => {
  const withImage = (): LayoutOnDisk => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, image, '1.28.0');
    return layout;
  };
  const read = (layout: LayoutOnDisk, digest: Digest = image.digest) => {
    const source = open(layout);
    return Promise.all([faultOf(source.manifest({ digest }, signal)), faultOf(source.blob(digest, signal))]);
  };
  const invalid = ['answer-invalid', 'answer-invalid'];

  it.each<[string, (path: string) => void]>([
    ['of another hash', (path) => writeFileSync(path, other.bytes)],
    ['with a byte changed', (path) => writeFileSync(path, Buffer.from(image.bytes).fill(0x20, 3, 4))],
    ['cut short', (path) => truncateSync(path, 10)],
    ['that is empty', (path) => truncateSync(path, 0)],
    ['with a byte more', (path) => appendFileSync(path, ' ')],
    ['past every limit', (path) => truncateSync(path, 2 ** 40)],
  ])('%s is not what its name says', async (_, spoil) => {
    const layout = withImage();
    spoil(layout.pathOf(image.digest));
    expect(await read(layout)).toEqual(invalid);
  });

  it('that is a pipe keeps nobody waiting', async () => {
    const layout = withImage();
    rmSync(layout.pathOf(image.digest));
    execFileSync('mkfifo', [layout.pathOf(image.digest)]);
    expect(await read(layout)).toEqual(invalid);
  });

  it('that is a directory cannot be read', async () => {
    const layout = withImage();
    rmSync(layout.pathOf(image.digest));
    mkdirSync(layout.pathOf(image.digest));
    expect(await read(layout)).toEqual(['unavailable', 'unavailable']);
  });

  it('that is not there is no fault', async () => {
    const layout = withImage();
    rmSync(layout.pathOf(image.digest));
    expect(await read(layout)).toEqual([undefined, undefined]);
    rmSync(join(layout.directory, 'blobs'), { recursive: true });
    expect(await read(layout)).toEqual([undefined, undefined]);
  });

  it.each<['manifest' | 'blob', number]>([
    ['manifest', LIMITS.manifestBytes],
    ['blob', LIMITS.blobBytes],
  ])('is read up to the limit of a %s and no further', async (what, limit) => {
    const layout = createLayoutOnDisk();
    const [fits, exceeds] = [Buffer.alloc(limit, ' '), Buffer.alloc(limit + 1, ' ')];
    for (const bytes of [fits, exceeds]) layout.pushBlob(PILOT, bytes);
    const source = open(layout);
    const readManifest = (digest: Digest): Promise<unknown> =>
      faultOf(what === 'blob' ? source.blob(digest, signal) : source.manifest({ digest }, signal));
    const found = await readManifest(digestOf(fits));
    expect(found).toEqual(
      what === 'blob' ? fits : { digest: digestOf(fits), mediaType: undefined, bytes: fits },
    );
    expect(await readManifest(digestOf(exceeds))).toBe('answer-invalid');
  });

  it('is what it is, whatever file it is linked to', async () => {
    const layout = withImage();
    const path = layout.pathOf(image.digest);
    renameSync(path, join(layout.directory, 'elsewhere'));
    symlinkSync('../../elsewhere', path);
    const [manifest, blob] = await read(layout);
    expect([manifest, blob]).toEqual([
      { digest: image.digest, mediaType: undefined, bytes: image.bytes },
      image.bytes,
    ]);
  });
});

describe('a tag', () => {
  const named = (...entries: readonly (readonly [typeof image, Readonly<Record<string, string>>])[]) => {
    const layout = createLayoutOnDisk();
    for (const [{ digest, mediaType, bytes }, annotations] of entries) {
      layout.pushBlob(PILOT, bytes);
      layout.describe({ digest, mediaType, size: bytes.length, annotations });
    }
    return layout;
  };
  const ref = (name: string) => ({ 'org.opencontainers.image.ref.name': name });
  const resolve = (layout: LayoutOnDisk, tag = '1.28.0') => faultOf(open(layout).resolve(tag, signal));

  it.each<[string, () => LayoutOnDisk, unknown]>([
    [
      'that two images bear is ambiguous',
      () => named([image, ref('1.28.0')], [other, ref('1.28.0')]),
      'answer-invalid',
    ],
    [
      'that two images bear under their whole names is ambiguous',
      () => named([image, ref(`${PILOT}:1.28.0`)], [other, ref('index.docker.io/istio/pilot:1.28.0')]),
      'answer-invalid',
    ],
    [
      'of another repository stands for nothing here',
      () => named([other, ref('docker.io/istio/ztunnel:1.28.0')]),
      undefined,
    ],
    [
      'that docker save writes beside another whole name stands for nothing here',
      () =>
        named([other, { ...ref('1.28.0'), 'io.containerd.image.name': 'docker.io/library/other:1.28.0' }]),
      undefined,
    ],
    [
      'that only ends so stands for nothing',
      () => named([other, ref('x1.28.0')], [image, ref(`${PILOT}:x1.28.0`)]),
      undefined,
    ],
    [
      'of a digest alone stands for nothing',
      () => named([image, ref(`${PILOT}@${image.digest}`)]),
      undefined,
    ],
    [
      'that the other repository’s whole name ends with stands for nothing',
      () => named([other, ref(`evil.example/${PILOT}:1.28.0`)]),
      undefined,
    ],
    [
      'by itself stands for its image',
      () => named([other, ref('1.28.1')], [image, ref('1.28.0')]),
      image.digest,
    ],
    [
      'twice by the same image is one',
      () => named([image, ref('1.28.0')], [image, ref('1.28.0')]),
      image.digest,
    ],
    ['in a whole name stands for its image', () => named([image, ref(`${PILOT}:1.28.0`)]), image.digest],
    [
      'in a whole name as crane writes it, too',
      () => named([image, ref('index.docker.io/istio/pilot:1.28.0')]),
      image.digest,
    ],
    ['in a short name, too', () => named([image, ref('istio/pilot:1.28.0')]), image.digest],
    [
      'in a whole name comes before one by itself',
      () => named([other, ref('1.28.0')], [image, ref(`${PILOT}:1.28.0`)]),
      image.digest,
    ],
    [
      'of docker save stands for its image',
      () => named([image, { ...ref('1.28.0'), 'io.containerd.image.name': `${PILOT}:1.28.0` }]),
      image.digest,
    ],
  ])('%s', async (_, make, digest) => {
    expect(await resolve(make())).toBe(digest);
  });

  it('of signatures, attestations or a list of referrers is no image', async () => {
    const layout = createLayoutOnDisk();
    pushSignatures(layout, PILOT, image.digest, [sign(signer, PILOT, image.digest)]);
    pushFallbackIndex(layout, PILOT, image.digest, []);
    layout.describe(
      { digest: other.digest, annotations: { kind: 'dev.cosignproject.cosign/atts', ...ref('atts') } },
      { digest: other.digest, annotations: { kind: 'dev.cosignproject.cosign/sigs', ...ref('sigs') } },
    );
    const tags = [signatureTag(image.digest), fallbackTag(image.digest), 'atts', 'sigs'];
    expect(await Promise.all(tags.map((tag) => resolve(layout, tag)))).toEqual(tags.map(() => undefined));
  });

  it('brings no manifest but that of signatures', async () => {
    const layout = named([image, ref('1.28.0')]);
    expect(await open(layout).manifest({ tag: '1.28.0' }, signal)).toBeUndefined();
  });
});

describe('signatures under a tag', () => {
  const tag = signatureTag(image.digest);
  const mine = signatureManifest([sign(signer, PILOT, image.digest)]);
  const second = signatureManifest([sign(createSigner(), PILOT, image.digest)]);
  const read = (layout: LayoutOnDisk) => open(layout).manifest({ tag }, signal);
  const cosigns = (layout: LayoutOnDisk, { digest, bytes, mediaType }: typeof mine, name?: string): void => {
    layout.pushBlob('', bytes);
    const reference = name === undefined ? {} : { 'org.opencontainers.image.ref.name': name };
    layout.describe({
      digest,
      mediaType,
      annotations: { kind: 'dev.cosignproject.cosign/sigs', ...reference },
    });
  };

  it('of another image are not this one’s', async () => {
    const layout = createLayoutOnDisk();
    pushSignatures(layout, PILOT, other.digest, [sign(signer, PILOT, other.digest)]);
    expect(await read(layout)).toBeUndefined();
  });

  it('that are damaged are a fault where there are no others', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, mine, tag);
    writeFileSync(layout.pathOf(mine.digest), 'x');
    expect(await faultOf(read(layout))).toBe('answer-invalid');
  });

  it('that are not there are none', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, mine, tag);
    rmSync(layout.pathOf(mine.digest));
    expect(await read(layout)).toBeUndefined();
  });

  it.each(['damaged', 'missing', 'not JSON', 'not a manifest'])(
    'are found beside others that are %s, before them or after',
    async (how) => {
      for (const before of [true, false]) {
        const layout = createLayoutOnDisk();
        if (!before) push(layout, PILOT, mine, tag);
        const bytes = Buffer.from(how === 'not a manifest' ? '{"layers":1}' : 'x');
        layout.pushManifest(PILOT, tag, bytes, mine.mediaType);
        if (before) push(layout, PILOT, mine, tag);
        if (how === 'missing') rmSync(layout.pathOf(digestOf(bytes)));
        if (how === 'damaged') writeFileSync(layout.pathOf(digestOf(bytes)), 'y');
        expect(layersOf(await read(layout))).toEqual(layersOf(mine));
      }
    },
  );

  it('are those that stand there, as they are', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, mine, tag);
    expect(await read(layout)).toEqual({ digest: mine.digest, mediaType: mine.mediaType, bytes: mine.bytes });
  });

  it('are found by a whole name that ends so', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, mine, `${PILOT}:${tag}`);
    expect((await read(layout))?.digest).toBe(mine.digest);
  });

  it('in several manifests are united, each once, in one that is hashed', async () => {
    const layout = createLayoutOnDisk();
    const both = signatureManifest([
      sign(signer, PILOT, image.digest, { payload: mine.blobs[1]?.bytes as Buffer }),
      sign(signer, PILOT, image.digest, { annotations: { note: 'third' } }),
    ]);
    for (const manifest of [mine, second, both, mine]) push(layout, PILOT, manifest, tag);
    const united = await read(layout);
    expect(layersOf(united)).toEqual([...layersOf(mine), ...layersOf(second), ...layersOf(both)]);
    expect(united?.digest).toBe(digestOf(united?.bytes ?? ''));
  });

  it('without a name, as cosign save writes them, are this image’s or say themselves whose they are', async () => {
    const layout = createLayoutOnDisk();
    cosigns(layout, mine);
    expect((await read(layout))?.digest).toBe(mine.digest);
  });

  it('that go by the image’s own name, with cosign’s mark, are found', async () => {
    const layout = createLayoutOnDisk();
    cosigns(layout, mine, `${PILOT}:1.28.0`);
    expect((await read(layout))?.digest).toBe(mine.digest);
  });

  it('with cosign’s mark that are named for another image are that one’s', async () => {
    const layout = createLayoutOnDisk();
    cosigns(layout, mine, signatureTag(other.digest));
    expect(await read(layout)).toBeUndefined();
  });

  it('are read to about one manifest’s length, however many lie there', async () => {
    const layout = createLayoutOnDisk();
    const long = Array.from({ length: 20 }, (_, place) =>
      signatureManifest([
        sign(signer, PILOT, image.digest, { annotations: { note: `${place}${'x'.repeat(2000)}` } }),
      ]),
    );
    for (const manifest of long) push(layout, PILOT, manifest, tag);
    const read20 = layersOf(await read(layout)).length;
    expect(read20).toBeGreaterThan(1);
    expect(read20).toBeLessThan(6);
  });
});

describe('what refers to an image', () => {
  const of = async (layout: LayoutOnDisk, digest: Digest = image.digest) =>
    (await open(layout).referrers(digest, signal)).descriptors;
  const bundle = bundleOf(signer, image.digest);
  const manifest = bundleManifest(bundle, image.digest);
  const artifactType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const found = [{ digest: manifest.digest, artifactType }];

  it('is not what refers to another', async () => {
    const layout = createLayoutOnDisk();
    pushBundle(layout, PILOT, other.digest, bundleOf(signer, other.digest));
    expect(await of(layout)).toEqual([]);
  });

  it.each<[string, (layout: LayoutOnDisk) => void]>([
    [
      'damaged',
      (layout) =>
        writeFileSync(
          layout.pathOf(pushBundle(layout, PILOT, image.digest, bundle, { created: 'x' }).digest),
          'x',
        ),
    ],
    [
      'missing',
      (layout) =>
        rmSync(layout.pathOf(pushBundle(layout, PILOT, image.digest, bundle, { created: 'x' }).digest)),
    ],
    ['too long', (layout) => layout.pushManifest('', undefined, Buffer.alloc(9000, ' '), image.mediaType)],
    ['not JSON', (layout) => layout.pushManifest('', undefined, Buffer.from('{'), image.mediaType)],
    [
      'of no subject',
      (layout) => layout.pushManifest('', undefined, Buffer.from('{"subject":[1]}'), image.mediaType),
    ],
    [
      'a broken list',
      (layout) => layout.pushManifest('', fallbackTag(image.digest), Buffer.from('{'), image.mediaType),
    ],
    [
      'a list that is damaged',
      (layout) => {
        const list = pushFallbackIndex(layout, PILOT, image.digest, []);
        writeFileSync(layout.pathOf(list), 'x');
      },
    ],
    [
      'an index that is listed and not there',
      (layout) =>
        layout.describe({ digest: other.digest, mediaType: 'application/vnd.oci.image.index.v1+json' }),
    ],
  ])('is not hidden by something %s', async (_, spoil) => {
    const layout = createLayoutOnDisk();
    spoil(layout);
    push(layout, PILOT, manifest);
    expect(await of(layout)).toContainEqual(found[0]);
    expect(
      (await openLayout(layout.directory, LIMITS).images()).find(({ digest }) => digest === image.digest),
    ).toMatchObject({ referrers: 1 });
  });

  it('is a fault where all there is of it is a list that is damaged', async () => {
    const layout = createLayoutOnDisk();
    writeFileSync(layout.pathOf(pushFallbackIndex(layout, PILOT, image.digest, [manifest])), 'x');
    expect(await faultOf(of(layout))).toBe('answer-invalid');
  });

  it('is what names it as its subject, of the type it says itself', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, image, '1.28.0');
    push(layout, PILOT, manifest);
    expect(await of(layout)).toEqual(found);
  });

  it('is what the fallback tag lists, where tools copied only that; several lists are united', async () => {
    const layout = createLayoutOnDisk();
    layout.pushBlob('', manifest.bytes);
    pushFallbackIndex(layout, PILOT, image.digest, [manifest], artifactType);
    pushFallbackIndex(layout, PILOT, image.digest, [other], 'text/plain');
    expect(await of(layout)).toEqual([...found, { digest: other.digest, artifactType: 'text/plain' }]);
  });

  /** A layout as `cosign save` of version 3 writes it: one marked image, and bundles that no index names. */
  const savedByCosign = (): LayoutOnDisk => {
    const layout = createLayoutOnDisk();
    layout.pushBlob('', image.bytes);
    layout.describe({
      digest: image.digest,
      mediaType: image.mediaType,
      annotations: { kind: 'dev.cosignproject.cosign/image' },
    });
    for (const { bytes } of manifest.blobs) layout.pushBlob('', bytes);
    layout.pushBlob('', manifest.bytes);
    return layout;
  };
  const marked = (kind: string, name?: string) => ({
    mediaType: image.mediaType,
    annotations: {
      kind: `dev.cosignproject.cosign/${kind}`,
      ...(name === undefined ? {} : { 'org.opencontainers.image.ref.name': name }),
    },
  });

  it.each<[string, (layout: LayoutOnDisk) => void]>([
    ['is damaged', (layout) => writeFileSync(layout.pathOf(manifest.digest), 'x')],
    ['is gone', (layout) => rmSync(layout.pathOf(manifest.digest))],
    [
      'is a pipe',
      (layout) => {
        rmSync(layout.pathOf(manifest.digest));
        execFileSync('mkfifo', [layout.pathOf(manifest.digest)]);
      },
    ],
    [
      'is longer than a manifest may be',
      (layout) => {
        const long = Buffer.concat([manifest.bytes, Buffer.alloc(LIMITS.manifestBytes, ' ')]);
        layout.pushBlob('', long);
        rmSync(layout.pathOf(manifest.digest));
      },
    ],
  ])('is no blob that no index names where that %s', async (_, spoil) => {
    const layout = savedByCosign();
    spoil(layout);
    expect(await of(layout)).toEqual([]);
  });

  it('is looked for in blobs that no index names only where cosign wrote the layout', async () => {
    const unmarked = createLayoutOnDisk();
    push(unmarked, PILOT, image, '1.28.0');
    unmarked.pushBlob('', manifest.bytes);
    const ours = createLayoutOnDisk();
    ours.pushBlob('', manifest.bytes);
    ours.describe(
      { digest: image.digest, ...marked('image', '1.28.0') },
      { digest: other.digest, ...marked('image', '1.29.0') },
    );
    expect([await of(unmarked), await of(ours)]).toEqual([[], []]);
  });

  it('is found where cosign 3 saves it, in a blob that no index names, whatever was added since', async () => {
    const layout = savedByCosign();
    writeFileSync(join(layout.directory, 'blobs', 'sha256', `${'a'.repeat(64)}.tmp`), 'half of something');
    expect(await of(layout)).toEqual(found);
    expect(await of(layout, other.digest)).toEqual([]);
    layout.describe({ digest: other.digest, ...marked('image', '1.29.0') });
    expect(await of(layout)).toEqual(found);
    expect((await openLayout(layout.directory, LIMITS).images())[0]).toEqual({
      digest: image.digest,
      names: [],
      kind: 'image',
      signatures: 0,
      referrers: 1,
    });
  });

  it('is read once for all who ask meanwhile, and again for who asks later', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, manifest);
    rmSync(layout.pathOf(manifest.digest));
    const entries = await createReadIndex(layout.directory, 10_000)();
    const { findReferrers } = createLayoutContent(layout.directory, LIMITS.manifestBytes);
    const [first, second] = await Promise.all([findReferrers(entries), findReferrers(entries)]);
    expect(first).toEqual([]);
    expect(second).toBe(first);
    layout.pushBlob('', manifest.bytes);
    expect(await findReferrers(entries)).toMatchObject([{ subject: image.digest }]);
  });

  it('is one thing where a list and its own subject tell of it, and its own word on its type counts', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, manifest);
    pushFallbackIndex(layout, PILOT, image.digest, [manifest], 'text/plain');
    expect(await of(layout)).toEqual(found);
  });
});

describe('an index inside a layout', () => {
  it('holds its children by digest, without names of their own', async () => {
    const layout = createLayoutOnDisk();
    const index = imageIndex('pilot');
    for (const child of index.children) layout.pushBlob('', child.bytes);
    layout.pushManifest(PILOT, '1.28.0', index.bytes, index.mediaType);
    const source = open(layout);
    expect(await source.resolve('1.28.0', signal)).toBe(index.digest);
    const [child] = index.children;
    const digest = parseDigest(child?.digest ?? '') as Digest;
    expect((await source.manifest({ digest }, signal))?.bytes).toEqual(child?.bytes);
    expect(await openLayout(layout.directory, LIMITS).images()).toMatchObject([
      { digest: index.digest, kind: 'index', names: ['1.28.0'] },
    ]);
  });
});

describe('an index that changes', () => {
  it('is not parsed again while it does not', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, image, '1.28.0');
    const read = createReadIndex(layout.directory, 10_000);
    const first = await read();
    expect(await read()).toBe(first);
    utimesSync(join(layout.directory, 'index.json'), 1, 1);
    expect(await read()).toEqual(first);
    expect(await read()).not.toBe(first);
  });

  it('is parsed once for all who ask meanwhile', async () => {
    const layout = createLayoutOnDisk();
    push(layout, PILOT, image, '1.28.0');
    const read = createReadIndex(layout.directory, 10_000);
    const [first, second] = await Promise.all([read(), read()]);
    expect(first).toMatchObject([{ digest: image.digest }]);
    expect(second).toBe(first);
  });

  it('is read again where it could not be read, though nothing of it has changed', async () => {
    const layout = createLayoutOnDisk();
    layout.writeIndex('{');
    const read = createReadIndex(layout.directory, 10_000);
    const faults = [
      await read().catch((error: unknown) => error),
      await read().catch((error: unknown) => error),
    ];
    expect(faults).toEqual([expect.any(SourceFault), expect.any(SourceFault)]);
    expect(faults[1]).not.toBe(faults[0]);
  });

  /** A layout as a kubelet mounts it: every name is a link through `..data`, which is swapped in one step. */
  const mount = (...tags: readonly string[]) => {
    const directory = temporaryDirectory('mounted');
    let version = 0;
    const swap = (...named: readonly string[]): void => {
      version += 1;
      const layout = createLayoutOnDisk(join(directory, `..v${version}`));
      for (const tag of named) push(layout, PILOT, image, tag);
      symlinkSync(`..v${version}`, join(directory, '..next'));
      renameSync(join(directory, '..next'), join(directory, '..data'));
    };
    swap(...tags);
    for (const name of ['index.json', 'oci-layout', 'blobs'])
      symlinkSync(`..data/${name}`, join(directory, name));
    return { directory, swap };
  };

  it('is seen when ..data is swapped', async () => {
    const mounted = mount('1.28.0');
    const source = open(mounted);
    expect(await source.resolve('1.28.1', signal)).toBeUndefined();
    mounted.swap('1.28.1');
    expect(await source.resolve('1.28.1', signal)).toBe(image.digest);
    expect(await source.resolve('1.28.0', signal)).toBeUndefined();
  });

  it('is seen when it was broken, and when it comes to be', async () => {
    const directory = temporaryDirectory('later');
    const source = open({ directory });
    expect(await faultOf(source.resolve('1.28.0', signal))).toBe('unavailable');
    const layout = createLayoutOnDisk(directory);
    push(layout, PILOT, image, '1.28.0');
    expect(await source.resolve('1.28.0', signal)).toBe(image.digest);
    layout.writeIndex('{');
    expect(await faultOf(source.resolve('1.28.0', signal))).toBe('answer-invalid');
    layout.describe();
    expect(await source.resolve('1.28.0', signal)).toBe(image.digest);
    rmSync(join(directory, 'index.json'));
    expect(await faultOf(source.resolve('1.28.0', signal))).toBe('unavailable');
  });
});

describe('what a layout holds', () => {
  it('is told whole: images, what is said of them, and of what is not here', async () => {
    const layout = createLayoutOnDisk();
    const index = imageIndex('proxyv2');
    push(layout, PILOT, image, '1.28.0');
    push(layout, PILOT, image, 'latest');
    layout.pushManifest(PILOT, undefined, index.bytes, index.mediaType);
    pushSignatures(layout, PILOT, image.digest, [sign(signer, PILOT, image.digest)]);
    pushSignatures(layout, PILOT, other.digest, [sign(signer, PILOT, other.digest)]);
    pushBundle(layout, PILOT, index.digest, bundleOf(signer, index.digest));
    expect(await openLayout(layout.directory, LIMITS).images()).toEqual([
      { digest: image.digest, names: ['1.28.0', 'latest'], kind: 'image', signatures: 1, referrers: 0 },
      { digest: index.digest, names: [], kind: 'index', signatures: 0, referrers: 1 },
      { digest: other.digest, names: [], kind: undefined, signatures: 1, referrers: 0 },
    ]);
  });

  it('is nothing where its index is empty', async () => {
    expect(await openLayout(createLayoutOnDisk().directory, LIMITS).images()).toEqual([]);
  });

  it('counts nameless signatures of cosign for the one image beside them', async () => {
    const layout = createLayoutOnDisk();
    const kind = (name: string) => ({ annotations: { kind: `dev.cosignproject.cosign/${name}` } });
    layout.pushBlob('', image.bytes);
    layout.describe(
      { digest: image.digest, mediaType: image.mediaType, ...kind('image') },
      { digest: other.digest, mediaType: other.mediaType, ...kind('sigs') },
      { digest: other.digest, mediaType: other.mediaType, ...kind('atts') },
    );
    expect(await openLayout(layout.directory, LIMITS).images()).toEqual([
      { digest: image.digest, names: [], kind: 'image', signatures: 1, referrers: 0 },
    ]);
  });
});
