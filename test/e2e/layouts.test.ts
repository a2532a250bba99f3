import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signedBy, signedIndex } from './cosign-cases.ts';
import { listReferrers } from './referrers.ts';
import { type Registries, startRegistries } from './registries.ts';
import type { Cosign, Workspace } from './workspace.ts';

/*
 * OCI image layouts are exchanged between the bundle and other tools: they read the layouts of `evidence pull`, and
 * `verify` reads theirs. The images are signed by real cosign and come from a registry of another project.
 */

/** A signed image and its references. */
interface Signed {
  readonly repository: string;
  readonly digest: string;
  readonly pinned: string;
  readonly tagged: string;
}

let registries: Registries;
let workspace: Workspace;
const signed = new Map<Cosign, Signed>();
const imageOf = (cosign: Cosign): Signed => {
  const image = signed.get(cosign);
  if (image === undefined) throw new Error(`nothing is signed by ${cosign}`);
  return image;
};

const COSIGNS = ['cosign 2', 'cosign 3', 'cosign of Istio 1.31'] as const;
const repositoryOf = (name: string) => ({
  workspace,
  repository: `${registries.referrers}/e2e/${name.toLowerCase().replaceAll(/\W/g, '-')}`,
  copyReferrers: () => Promise.reject(new Error('nothing is copied here')),
});

beforeAll(async () => {
  registries = await startRegistries();
  ({ workspace } = registries);
  for (const cosign of COSIGNS) {
    const target = repositoryOf(cosign);
    const [pinned = '', tagged = ''] = await signedBy(cosign)(target);
    signed.set(cosign, { repository: target.repository, digest: pinned.split('@')[1] ?? '', pinned, tagged });
  }
});
afterAll(() => registries?.stop());

let layouts = 0;
const nextLayout = (): string => {
  layouts += 1;
  return `layout-${layouts}`;
};

const pull = async (...references: readonly string[]): Promise<string> => {
  const layout = nextLayout();
  const flags = ['--key', await workspace.publicKey('release'), '--ca-file', 'ca.pem', '-o', layout];
  const { code, stderr } = await workspace.sailmark('evidence', 'pull', ...flags, ...references);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return layout;
};
const verify = async (key: string, ...argv: readonly string[]): Promise<number> =>
  (await workspace.sailmark('verify', '--key', await workspace.publicKey(key), ...argv)).code;
const codesOf = async (...ran: readonly Promise<{ readonly code: number }>[]): Promise<readonly number[]> =>
  (await Promise.all(ran)).map(({ code }) => code);

describe('what `evidence pull` writes', () => {
  it.each([
    ['cosign 2', ['cosign 2', 'cosign 3']],
    // cosign 2 reads no bundles from a layout.
    ['cosign 3', ['cosign 3', 'cosign of Istio 1.31']],
    ['cosign of Istio 1.31', ['cosign 3', 'cosign of Istio 1.31']],
  ] as const)('of an image signed by %s is refused and verified by %j alike', async (signer, readers) => {
    const layout = await pull(imageOf(signer).tagged);
    const read = (key: string) =>
      codesOf(...readers.map((cosign) => workspace.cosignVerify(cosign, key, '--local-image', layout)));
    expect(await read('stranger')).toEqual(readers.map(() => 1));
    expect(await read('release')).toEqual(readers.map(() => 0));
  });

  it.each(COSIGNS)('of an image signed by %s, skopeo reads as the registry serves it', async (signer) => {
    const { tagged } = imageOf(signer);
    const layout = await pull(tagged);
    const kept = await workspace.skopeo('inspect', '--raw', `oci:${layout}:${tagged}`);
    expect(kept).toBe(await workspace.crane('manifest', tagged));
  });

  it.each(['cosign 2', 'cosign 3'] as const)(
    'of an index signed with its children by %s proves each of them offline',
    async (cosign) => {
      const target = repositoryOf(`index of ${cosign}`);
      const references = await signedIndex(cosign, 'all', '--recursive')(target);
      const layout = await pull(`${target.repository}:1.30.0`);
      const flags = ['--offline', '--evidence', layout];
      expect(await verify('stranger', ...flags, ...references)).toBe(12);
      expect(await verify('release', ...flags, ...references)).toBe(0);
    },
  );
});

const copy = (from: string, layout: string, name: string): Promise<string> =>
  workspace.skopeo('copy', `docker://${from}`, `oci:${layout}:${name}`);

const signatureTag = (digest: string): string => `${digest.replace(':', '-')}.sig`;

const bundleOf = async ({ repository, digest }: Signed): Promise<string> => {
  const name = repository.slice(repository.indexOf('/') + 1);
  const [bundle] = await listReferrers(registries.referrersWithoutAuth, name, digest);
  return `${repository}@${bundle?.digest}`;
};

/** The tool that writes a layout, the cosign that signed the image, and how the layout is written. */
const WRITTEN: readonly (readonly [
  tool: string,
  cosign: Cosign,
  write: (image: Signed, layout: string) => Promise<unknown>,
])[] = [
  [
    'skopeo copy',
    'cosign 2',
    async ({ repository, digest, tagged }, layout) => {
      await copy(tagged, layout, tagged);
      await copy(`${repository}:${signatureTag(digest)}`, layout, signatureTag(digest));
    },
  ],
  [
    'skopeo copy',
    'cosign 3',
    async (image, layout) => {
      await copy(image.tagged, layout, image.tagged);
      await copy(await bundleOf(image), layout, 'bundle');
    },
  ],
  [
    'crane pull --format oci --annotate-ref',
    'cosign 2',
    ({ repository, digest, tagged }, layout) =>
      workspace.crane(
        'pull',
        '--format',
        'oci',
        '--annotate-ref',
        tagged,
        `${repository}:${signatureTag(digest)}`,
        layout,
      ),
  ],
  [
    'crane pull --format oci',
    'cosign 3',
    async (image, layout) =>
      workspace.crane('pull', '--format', 'oci', image.tagged, await bundleOf(image), layout),
  ],
];

describe('verify reads, offline,', () => {
  it.each(WRITTEN)('what `%s` writes of an image signed by %s', async (_tool, cosign, write) => {
    const image = imageOf(cosign);
    const layout = nextLayout();
    await write(image, layout);
    const flags = ['--offline', '--evidence', layout, image.pinned];
    expect(await verify('stranger', ...flags)).toBe(12);
    expect(await verify('release', ...flags)).toBe(0);
  });

  it('no signature from an image copied without it', async () => {
    const { tagged, pinned } = imageOf('cosign 2');
    const layout = nextLayout();
    await copy(tagged, layout, tagged);
    expect(await verify('release', '--offline', '--evidence', layout, tagged, pinned)).toBe(10);
  });
});

describe('verify --local-image reads', () => {
  it.each([
    ['cosign 2', 'cosign 2'],
    ['cosign 3', 'cosign 2'],
    ['cosign 3', 'cosign 3'],
  ] as const)(
    'what `save` of %s writes of an image signed by %s, as it does itself',
    async (saver, signer) => {
      const layout = nextLayout();
      await workspace.save(saver, imageOf(signer).tagged, layout);
      const ask = (key: string) => workspace.cosignVerify(saver, key, '--local-image', layout);
      expect(await codesOf(ask('stranger'), ask('release'))).toEqual([1, 0]);
      expect(await verify('stranger', '--local-image', layout)).toBe(12);
      expect(await verify('release', '--local-image', layout)).toBe(0);
    },
  );
});
