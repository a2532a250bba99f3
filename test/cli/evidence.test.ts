import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleOf, pushBundle } from '../support/bundle-kit.ts';
import { createLayoutOnDisk, temporaryDirectory } from '../support/layout.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { runCli } from '../support/run-cli.ts';
import {
  type Artifact,
  createSigner,
  imageIndex,
  imageManifest,
  push,
  pushSignatures,
  sign,
  signatureTag,
} from '../support/signing-kit.ts';

const [signer, stranger] = [createSigner(), createSigner()];

let registry: TestRegistry;
let pushed = 0;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());
beforeEach(() => {
  registry.fault = undefined;
});

const keyFile = (): string => {
  const path = join(temporaryDirectory('key'), 'release.pub');
  writeFileSync(path, signer.publicPem);
  return path;
};

interface Pushed {
  readonly repository: string;
  readonly artifact: Artifact;
  readonly byTag: string;
  readonly byDigest: string;
}

/** Pushes an image to its own repository. */
const add = (artifact?: Artifact): Pushed => {
  pushed += 1;
  const image = artifact ?? imageManifest(`image ${pushed}`);
  const repository = `corp/app-${pushed}`;
  push(registry, repository, image, '1.0');
  const at = `${registry.host}/${repository}`;
  return { repository, artifact: image, byTag: `${at}:1.0`, byDigest: `${at}@${image.digest}` };
};

const signAs = ({ repository }: Pushed, { digest }: Artifact, by = signer): void =>
  void pushSignatures(registry, repository, digest, [sign(by, `docker.io/${repository}`, digest)]);

const addSigned = (): Pushed => {
  const image = add();
  signAs(image, image.artifact);
  return image;
};

const pull = (directory: string, ...argv: readonly string[]) =>
  runCli(['evidence', 'pull', '--key', keyFile(), '--allow-http-registry', '-o', directory, ...argv]);
const offline = (directory: string, ...argv: readonly string[]) =>
  runCli(['verify', '--key', keyFile(), '--offline', '--evidence', directory, ...argv]);
const list = (directory: string, ...argv: readonly string[]) =>
  runCli(['evidence', 'list', directory, ...argv]);

const listed = async (directory: string): Promise<readonly object[]> => {
  const { stdout } = await list(directory, '-o', 'json');
  return (JSON.parse(stdout) as { images: readonly object[] }).images;
};

/** The requests to the registry during `run`, sorted. */
const requestsDuring = async (run: () => Promise<unknown>): Promise<readonly string[]> => {
  registry.clearRequests();
  await run();
  return registry.requests.map(({ method, path }) => `${method} ${path}`).toSorted();
};

const fresh = (): string => join(temporaryDirectory('evidence'), 'evidence');

describe('evidence pull refuses', () => {
  it('to begin without a directory, or without an image', async () => {
    const without = await runCli(['evidence', 'pull', 'docker.io/istio/pilot:1.28.0']);
    expect(without).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(
        'Error: --output is missing: name the directory to store evidence in, -o DIR\n',
      ),
    });
    expect(await pull(fresh())).toMatchObject({ code: 1, stdout: '' });
  });

  it('a directory that holds something else, and asks nobody', async () => {
    const directory = temporaryDirectory('thesis');
    writeFileSync(join(directory, 'thesis.tex'), 'x');
    const image = addSigned();
    const requests = await requestsDuring(async () => {
      const { code, stderr } = await pull(directory, image.byTag);
      expect(code).toBe(1);
      expect(stderr).toContain(
        `${directory} is neither empty nor an OCI image layout; choose another directory`,
      );
    });
    expect(requests).toEqual([]);
    expect(readdirSync(directory)).toEqual(['thesis.tex']);
  });

  it('a directory that cannot be one, and names it', async () => {
    const file = join(temporaryDirectory('file'), 'file');
    writeFileSync(file, 'x');
    const { code, stderr } = await pull(join(file, 'below'), addSigned().byTag);
    expect(code).toBe(1);
    expect(stderr).toContain(`${join(file, 'below')} is a file, or is below one: name a directory`);
    expect((await pull(file, addSigned().byTag)).stderr).toContain(`${file} is a file, or is below one`);
  });

  it.each<[string, (image: Pushed) => void, number, string]>([
    ['nobody signed', () => {}, 10, 'signature-missing'],
    ['a stranger signed', (image) => signAs(image, image.artifact, stranger), 12, 'signer-untrusted'],
    [
      'another image’s signature lies beside',
      (image) =>
        void pushSignatures(registry, image.repository, image.artifact.digest, [
          sign(signer, 'docker.io/x', imageManifest('other').digest),
        ]),
      12,
      'signature-for-other-image',
    ],
    ['is not there', ({ repository }) => registry.untag(repository, '1.0'), 11, 'image-not-found'],
  ])('to keep what %s', async (_, prepare, code, reason) => {
    const directory = fresh();
    const image = add();
    prepare(image);
    const printed = await pull(directory, image.byTag);
    expect(printed.code).toBe(code);
    expect(printed.stdout).toMatch(new RegExp(`^${image.byTag}: not stored: .*\\(${reason}\\)`));
    expect(printed.stdout).toContain(`0 digests verified offline from ${directory}\n`);
    expect((await list(directory)).code).toBe(1);
    expect((await offline(directory, image.byDigest)).code).not.toBe(0);
  });

  it('to keep a stranger’s signature beside one that counts', async () => {
    const directory = fresh();
    const image = add();
    const { digest } = image.artifact;
    pushBundle(registry, image.repository, digest, bundleOf(stranger, digest));
    pushBundle(registry, image.repository, digest, bundleOf(signer, digest));
    expect((await pull(directory, image.byTag)).code).toBe(0);
    expect(await listed(directory)).toMatchObject([{ digest, signatures: 0, referrers: 1 }]);
  });

  it('an image whose registry is away, and keeps the others', async () => {
    const directory = fresh();
    const [away, kept] = [addSigned(), addSigned()];
    registry.fault = (request, response) => {
      if (request.url?.includes(away.repository) !== true) return false;
      response.writeHead(503).end();
      return true;
    };
    const { code, stdout } = await pull(directory, away.byTag, kept.byTag);
    expect(code).toBe(20);
    expect(stdout).toContain(`${away.byTag}: not stored: `);
    expect(stdout).toContain(`${kept.byTag}: stored ${kept.artifact.digest} (image)\n`);
    expect((await offline(directory, kept.byDigest)).code).toBe(0);
  });

  it('to call an image kept whose manifest is gone', async () => {
    const directory = fresh();
    const image = addSigned();
    registry.fault = (request, response) => {
      const isImage = request.method === 'GET' && request.url?.includes(`manifests/${image.artifact.digest}`);
      if (isImage === true) response.writeHead(404).end('{}');
      return isImage === true;
    };
    const { code, stdout } = await pull(directory, image.byTag);
    expect(code).toBe(20);
    expect(stdout).toContain(`${image.byTag}: not stored completely: `);
  });
});

describe('evidence pull', () => {
  it.each<[string, (image: Pushed) => void, object]>([
    ['a signature', (image) => signAs(image, image.artifact), { signatures: 1, referrers: 0 }],
    [
      'a bundle',
      ({ repository, artifact: { digest } }) =>
        void pushBundle(registry, repository, digest, bundleOf(signer, digest)),
      { signatures: 0, referrers: 1 },
    ],
  ])('keeps an image with what proves it, without its layers: %s', async (_, by, found) => {
    const directory = fresh();
    const image = add();
    by(image);
    const { digest } = image.artifact;
    expect(await pull(directory, image.byTag)).toEqual({
      code: 0,
      stdout: `${image.byTag}: stored ${digest} (image)\n1 digest verified offline from ${directory}\n`,
      stderr: expect.any(String),
    });
    expect(await listed(directory)).toEqual([{ digest, names: [image.byTag], kind: 'image', ...found }]);
    expect(readdirSync(join(directory, 'blobs', 'sha256'))).toHaveLength(3);
    const requests = await requestsDuring(async () => {
      expect((await offline(directory, image.byDigest, image.byTag)).code).toBe(0);
    });
    expect(requests).toEqual([]);
  });

  it('asks a second time only what tags stand for', async () => {
    const directory = fresh();
    const images = [addSigned(), addSigned()];
    const bundled = add();
    pushBundle(
      registry,
      bundled.repository,
      bundled.artifact.digest,
      bundleOf(signer, bundled.artifact.digest),
    );
    const names = [...images.map(({ byTag }) => byTag), bundled.byDigest];
    expect((await pull(directory, ...names)).code).toBe(0);
    const before = readFileSync(join(directory, 'index.json'), 'utf8');
    const requests = await requestsDuring(async () => expect((await pull(directory, ...names)).code).toBe(0));
    expect(requests).toEqual(
      images.map(({ repository }) => `HEAD /v2/${repository}/manifests/1.0`).toSorted(),
    );
    expect(readFileSync(join(directory, 'index.json'), 'utf8')).toBe(before);
  });

  it('fetches again what is damaged or gone, and nothing else', async () => {
    const directory = fresh();
    const [whole, damaged] = [addSigned(), addSigned()];
    await pull(directory, whole.byDigest, damaged.byDigest);
    const { digest } = damaged.artifact;
    writeFileSync(
      join(directory, 'blobs', 'sha256', digest.slice(7)),
      Buffer.alloc(damaged.artifact.bytes.length),
    );
    const requests = await requestsDuring(async () =>
      expect((await pull(directory, whole.byDigest, damaged.byDigest)).code).toBe(0),
    );
    expect(requests).toEqual([`GET /v2/${damaged.repository}/manifests/${digest}`]);
    expect(readFileSync(join(directory, 'blobs', 'sha256', digest.slice(7)))).toEqual(damaged.artifact.bytes);
    for (const blob of readdirSync(join(directory, 'blobs', 'sha256')))
      rmSync(join(directory, 'blobs', 'sha256', blob));
    expect((await offline(directory, whole.byDigest)).code).not.toBe(0);
    expect((await pull(directory, whole.byDigest)).code).toBe(0);
    expect((await offline(directory, whole.byDigest)).code).toBe(0);
  });

  it('keeps of an index what is signed of what it lists', async () => {
    const directory = fresh();
    const image = add(imageIndex('multi'));
    const [amd64, arm64] = image.artifact.children as readonly [Artifact, Artifact];
    signAs(image, image.artifact);
    signAs(image, amd64);
    const { code, stdout } = await pull(directory, image.byTag);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `stored ${image.artifact.digest} (index; 1 of the 2 images it lists are signed)\n2 digests verified offline from ${directory}`,
    );
    const at = `${registry.host}/${image.repository}`;
    const codes = [image.artifact, amd64, arm64].map(
      async ({ digest }) => (await offline(directory, `${at}@${digest}`)).code,
    );
    expect(await Promise.all(codes)).toEqual([0, 0, 10]);
    expect((await offline(directory, image.byTag)).code).toBe(0);
    expect((await listed(directory))[0]).toMatchObject({ kind: 'index', names: [image.byTag] });
  });

  it('takes references from standard input, and the worst verdict is its exit code', async () => {
    const directory = fresh();
    const [good, bad] = [addSigned(), add()];
    const argv = [
      'evidence',
      'pull',
      '--key',
      keyFile(),
      '--allow-http-registry',
      '-o',
      directory,
      '-f',
      '-',
    ];
    const { code, stdout } = await runCli(argv, { stdin: `# images\n${bad.byTag}\n\n${good.byTag}\n` });
    expect(code).toBe(10);
    expect(stdout.split('\n').map((line) => line.split(': ')[0])).toEqual([
      bad.byTag,
      good.byTag,
      `1 digest verified offline from ${directory}`,
      '',
    ]);
  });
});

describe('evidence list', () => {
  it('says that a directory is not there', async () => {
    expect(await runCli(['evidence', 'list', '/nope'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: /nope was not found\n',
    });
  });

  it.each<[string, () => string]>([
    ['is not there', () => join(temporaryDirectory('none'), 'none')],
    ['is empty', () => temporaryDirectory('none')],
    [
      'is damaged',
      () => {
        const layout = createLayoutOnDisk();
        layout.writeIndex('{"manif');
        return layout.directory;
      },
    ],
  ])('ends with 1 where the directory %s, and names it', async (_, make) => {
    const directory = make();
    expect(await list(directory)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(directory),
    });
  });

  it('wants a directory', async () => {
    const { code, stderr } = await runCli(['evidence', 'list']);
    expect(code).toBe(1);
    expect(stderr).toContain('no directory given');
  });

  it('lists images by name, and signatures whose image is not here, for people and for programs', async () => {
    const layout = createLayoutOnDisk();
    const [image, other] = [imageManifest('here'), imageManifest('not here')];
    push(layout, '', image, 'docker.io/istio/pilot:1.28.0');
    pushSignatures(layout, '', other.digest, [sign(signer, 'x', other.digest)]);
    const { code, stdout, stderr } = await list(layout.directory);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: [
        'docker.io/istio/pilot:1.28.0',
        `  ${image.digest}`,
        '  image, 0 signature manifests, 0 referrers',
        other.digest,
        '  no image manifest, 1 signature manifest, 0 referrers',
        '',
      ].join('\n'),
    });
    expect(stderr).toBe(
      `2 images, not verified: run sailmark verify --offline --evidence ${layout.directory} IMAGE to verify one\n`,
    );
    expect(JSON.parse((await list(layout.directory, '-o', 'json')).stdout)).toEqual({
      schema: 'sailmark.dev/evidence/v1',
      images: [
        {
          digest: image.digest,
          names: ['docker.io/istio/pilot:1.28.0'],
          kind: 'image',
          signatures: 0,
          referrers: 0,
        },
        { digest: other.digest, names: [], kind: null, signatures: 1, referrers: 0 },
      ],
    });
  });
});

describe('verify --evidence', () => {
  it('asks the registry where evidence does not suffice, and not where --offline is said', async () => {
    const image = addSigned();
    const empty = createLayoutOnDisk().directory;
    const online = [
      'verify',
      '--key',
      keyFile(),
      '--allow-http-registry',
      '--evidence',
      empty,
      image.byDigest,
    ];
    const requests = await requestsDuring(async () => {
      expect((await offline(empty, image.byDigest)).code).toBe(10);
    });
    expect(requests).toEqual([]);
    expect((await runCli(online)).code).toBe(0);
  });

  it('leaves a tag to the registry unless --offline is said', async () => {
    const directory = fresh();
    const image = addSigned();
    await pull(directory, image.byTag);
    registry.untag(image.repository, '1.0');
    const online = [
      'verify',
      '--key',
      keyFile(),
      '--allow-http-registry',
      '--evidence',
      directory,
      image.byTag,
    ];
    expect((await runCli(online)).code).toBe(11);
    expect((await offline(directory, image.byTag)).code).toBe(0);
  });

  it('never verifies what was tampered with', async () => {
    const directory = fresh();
    const image = addSigned();
    await pull(directory, image.byTag);
    const blobs = join(directory, 'blobs', 'sha256');
    for (const name of readdirSync(blobs)) {
      const bytes = readFileSync(join(blobs, name));
      if (name === image.artifact.digest.slice(7)) continue;
      writeFileSync(
        join(blobs, name),
        Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)]),
      );
      expect((await offline(directory, image.byDigest)).code).toBe(20);
      writeFileSync(join(blobs, name), bytes);
    }
    expect((await offline(directory, image.byDigest)).code).toBe(0);
  });

  it('does not take another image for the one it holds: its tag is renamed in the index', async () => {
    const directory = fresh();
    const [signed, unsigned] = [addSigned(), add()];
    await pull(directory, signed.byTag);
    const index = join(directory, 'index.json');
    const text = readFileSync(index, 'utf8');
    writeFileSync(
      join(directory, 'blobs', 'sha256', unsigned.artifact.digest.slice(7)),
      unsigned.artifact.bytes,
    );
    writeFileSync(index, text.replaceAll(signed.artifact.digest, unsigned.artifact.digest));
    expect((await offline(directory, signed.byTag)).code).toBe(10);
    writeFileSync(
      index,
      text
        .replaceAll(signed.artifact.digest, unsigned.artifact.digest)
        .replaceAll(signatureTag(signed.artifact.digest), signatureTag(unsigned.artifact.digest)),
    );
    expect((await offline(directory, signed.byTag)).code).toBe(12);
  });
});
