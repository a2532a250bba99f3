import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bundleManifest, bundleOf, fallbackTag, pushFallbackIndex } from './bundle-kit.ts';
import { fixturePath, readFixture } from './fixtures.ts';
import { createSigner } from './signing-kit.ts';

interface Vector {
  readonly tags: Readonly<Record<string, string>>;
  readonly manifests: readonly { readonly digest: string }[];
}

const DIGEST = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
const served = (mode: string, digest: string) =>
  readFileSync(fixturePath('cosign', mode, 's08-bundle-notlog/blobs', digest.replace(':', '-')));

/** The manifest and the bundle that cosign 3.1.1 pushed: the manifest refers to the image. */
const pushedByCosign = (mode: string) => {
  const { manifests, tags } = readFixture<Vector>('cosign', mode, 's08-bundle-notlog/index.json');
  const all = manifests.map(({ digest }) => served(mode, digest));
  const manifest = all.find((bytes) => bytes.includes('"subject"')) ?? Buffer.of();
  const document = JSON.parse(manifest.toString());
  const index = tags[fallbackTag(DIGEST)];
  return {
    manifest,
    document,
    bundle: served(mode, document.layers[0].digest),
    index: index === undefined ? undefined : served(mode, index),
  };
};

/** Returns a bundle without the parts that differ between two signings: key and signature. */
const withoutKeyAndSignature = (bundle: Buffer) => {
  const { mediaType, verificationMaterial, dsseEnvelope, ...rest } = JSON.parse(bundle.toString());
  const { payload, payloadType, signatures, ...more } = dsseEnvelope;
  return {
    mediaType,
    material: Object.keys(verificationMaterial),
    payload: JSON.parse(Buffer.from(payload, 'base64').toString()),
    payloadType,
    signatures: signatures.map(Object.keys),
    ...rest,
    ...more,
  };
};

describe('the bundle kit, beside what cosign 3.1.1 pushed', () => {
  it('writes the manifest byte for byte', () => {
    const { manifest, document, bundle } = pushedByCosign('referrers');
    const created = document.annotations['org.opencontainers.image.created'];
    expect(bundleManifest(bundle, DIGEST, { created }).bytes.toString()).toBe(manifest.toString());
  });

  it('writes a bundle that says the same', () => {
    expect(withoutKeyAndSignature(bundleOf(createSigner(), DIGEST))).toEqual(
      withoutKeyAndSignature(pushedByCosign('referrers').bundle),
    );
  });

  it('writes the index of the fallback tag byte for byte', () => {
    const { index, bundle, document } = pushedByCosign('fallback');
    const created = document.annotations['org.opencontainers.image.created'];
    const pushed: Buffer[] = [];
    const target = {
      pushBlob: () => undefined,
      pushManifest: (_repository: string, _tag: string | undefined, bytes: Uint8Array) =>
        void pushed.push(Buffer.from(bytes)),
    };
    pushFallbackIndex(target, 'any', DIGEST, [bundleManifest(bundle, DIGEST, { created })]);
    expect(pushed.map(String)).toEqual([String(index)]);
  });
});
