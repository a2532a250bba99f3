import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleOf, pushBundle } from '../support/bundle-kit.ts';
import { createLayoutOnDisk, type LayoutOnDisk, temporaryDirectory } from '../support/layout.ts';
import { runCli } from '../support/run-cli.ts';
import {
  type Artifact,
  createSigner,
  imageIndex,
  imageManifest,
  push,
  pushSignatures,
  sign,
  signatureManifest,
} from '../support/signing-kit.ts';

/*
 * `verify --local-image` with handmade directories as `cosign save`, skopeo and crane write them.
 */

const [signer, stranger] = [createSigner(), createSigner()];
const image = imageManifest('pilot');
const kind = (name: string) => ({ kind: `dev.cosignproject.cosign/${name}` });

const verify = async (...directories: readonly string[]) => {
  const key = join(temporaryDirectory('key'), 'release.pub');
  writeFileSync(key, signer.publicPem);
  return runCli(['verify', '--key', key, '--local-image', ...directories]);
};

const keep = (
  layout: LayoutOnDisk,
  { digest, mediaType, bytes, blobs }: Artifact,
  annotations: Readonly<Record<string, string>>,
): void => {
  for (const blob of blobs) layout.pushBlob('', blob.bytes);
  layout.pushBlob('', bytes);
  layout.describe({ digest, mediaType, size: bytes.length, annotations });
};

const signaturesOf = (digest: string, by = signer): Artifact =>
  signatureManifest([sign(by, 'docker.io/istio/pilot', digest)]);

/** A layout as cosign writes it: entries have kinds but no names. */
const cosignSave = (signed = image, by = signer): LayoutOnDisk => {
  const layout = createLayoutOnDisk();
  keep(layout, signed, kind(signed.children.length > 0 ? 'imageIndex' : 'image'));
  keep(layout, signaturesOf(signed.digest, by), kind('sigs'));
  return layout;
};

describe('verify --local-image refuses', () => {
  it.each<[string, () => string, string]>([
    ['is not there', () => join(temporaryDirectory('none'), 'none'), 'none was not found'],
    ['is an archive that is not there', () => '/nope.tar', '--local-image: /nope.tar was not found'],
    ['holds nothing', () => createLayoutOnDisk().directory, 'no image found in'],
    [
      'holds signatures alone',
      () => {
        const layout = createLayoutOnDisk();
        pushSignatures(layout, '', image.digest, [sign(signer, 'x', image.digest)]);
        return layout.directory;
      },
      'no image found in',
    ],
    [
      'holds several images without a name',
      () => {
        const layout = cosignSave();
        keep(layout, imageManifest('another'), kind('image'));
        return layout.directory;
      },
      ', got 2; to verify one of them: sailmark verify --offline --evidence',
    ],
    [
      'holds several images with names',
      () => {
        const layout = createLayoutOnDisk();
        push(layout, '', image, '1');
        push(layout, '', imageManifest('another'), '2');
        return layout.directory;
      },
      ', got 2; ',
    ],
    [
      'has half an index',
      () => {
        const layout = cosignSave();
        layout.writeIndex('{"manifests":[');
        return layout.directory;
      },
      'its index.json is not an image index',
    ],
  ])('a directory that %s', async (_, make, message) => {
    const directory = make();
    const { code, stdout, stderr } = await verify(directory);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('Error: --local-image: ');
    expect(stderr).toContain(directory);
    expect(stderr).toContain(message);
  });

  it.each<[string, () => LayoutOnDisk, number]>([
    [
      'nobody signed',
      () => {
        const layout = createLayoutOnDisk();
        push(layout, '', image, '1');
        return layout;
      },
      10,
    ],
    ['a stranger signed', () => cosignSave(image, stranger), 12],
    [
      'has the signature of another beside it',
      () => {
        const layout = createLayoutOnDisk();
        keep(layout, image, kind('image'));
        keep(layout, signaturesOf(imageManifest('another').digest), kind('sigs'));
        return layout;
      },
      12,
    ],
    [
      'was tampered with, its signature',
      () => {
        const layout = cosignSave();
        writeFileSync(layout.pathOf(layout.descriptors[1]?.digest ?? ''), '{}');
        return layout;
      },
      20,
    ],
  ])('an image that %s', async (_, make, code) => {
    expect((await verify(make().directory)).code).toBe(code);
  });

  it('one that lacks its signature, though a directory beside it has it', async () => {
    const unsigned = createLayoutOnDisk();
    keep(unsigned, image, kind('image'));
    const { code, stdout } = await verify(cosignSave().directory, unsigned.directory);
    expect(code).toBe(10);
    expect(stdout).toContain(`${unsigned.directory}: rejected`);
  });
});

describe('verify --local-image verifies', () => {
  it.each<[string, () => LayoutOnDisk]>([
    ['what cosign save writes', () => cosignSave()],
    ['an index that cosign save writes', () => cosignSave(imageIndex('proxyv2'))],
    [
      'what cosign 3 saves with a bundle',
      () => {
        const layout = createLayoutOnDisk();
        keep(layout, image, kind('image'));
        pushBundle(layout, '', image.digest, bundleOf(signer, image.digest));
        return layout;
      },
    ],
    [
      'what skopeo copies: image and signatures under their tags',
      () => {
        const layout = createLayoutOnDisk();
        push(layout, '', image, '1.28.0');
        pushSignatures(layout, '', image.digest, [sign(signer, 'docker.io/istio/pilot', image.digest)]);
        return layout;
      },
    ],
    [
      'what crane pulls with whole names',
      () => {
        const layout = createLayoutOnDisk();
        const at = 'index.docker.io/istio/pilot';
        push(layout, '', image, `${at}:1.28.0`);
        push(layout, '', signaturesOf(image.digest), `${at}:${image.digest.replace(':', '-')}.sig`);
        return layout;
      },
    ],
    [
      'an index that lies beside what it lists',
      () => {
        const layout = createLayoutOnDisk();
        const index = imageIndex('proxyv2');
        push(layout, '', index, 'docker.io/istio/pilot:1.28.0');
        pushSignatures(layout, '', index.digest, [sign(signer, 'docker.io/istio/pilot', index.digest)]);
        return layout;
      },
    ],
  ])('%s', async (_, make) => {
    const { directory } = make();
    const { code, stdout } = await verify(directory);
    expect(stdout).toContain(directory);
    expect(code).toBe(0);
  });

  it('several directories, each by itself', async () => {
    const [good, bad] = [cosignSave(), cosignSave(imageManifest('y'), stranger)];
    expect((await verify(good.directory, bad.directory)).code).toBe(12);
    expect((await verify(good.directory, cosignSave(imageManifest('x')).directory)).code).toBe(0);
  });

  it('not the component that a name in the directory says, where another was signed', async () => {
    const layout = createLayoutOnDisk();
    push(layout, '', image, 'docker.io/istio/ztunnel:1.28.0');
    push(
      layout,
      '',
      signaturesOf(image.digest),
      `docker.io/istio/ztunnel:${image.digest.replace(':', '-')}.sig`,
    );
    const { code, stdout } = await verify(layout.directory);
    expect(code).toBe(12);
    expect(stdout).toContain('(component-mismatch)');
  });
});
