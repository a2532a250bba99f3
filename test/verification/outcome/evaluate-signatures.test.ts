import { describe, expect, it } from 'vitest';
import type { ProveLogged } from '../../../src/verification/index.ts';
import { bundleOf, pushBundle } from '../../support/bundle-kit.ts';
import { imageManifest, pushSignatures, type Signer, sign } from '../../support/signing-kit.ts';
import { createHarness, ringOf, trust } from '../harness.ts';

const MIRROR = 'mirror.example/istio';
const { digest } = imageManifest('some image');

/** Verifies `segment` below the mirror; the image is signed with these names. */
const verifySegment = async (
  segment: string,
  signedAs: readonly string[],
  sign1: (signer: Signer) => Signer = (s) => s,
) => {
  const harness = await createHarness();
  const layers = signedAs.map((name) => sign(sign1(harness.signer), name, digest));
  pushSignatures(harness.store, `${MIRROR}/${segment}`, digest, layers);
  return harness.verify(`${MIRROR}/${segment}@${digest}`);
};

const signedNames = async (...args: Parameters<typeof verifySegment>) => {
  const verdict = await verifySegment(...args);
  return verdict.outcome === 'verified' && verdict.signatures.map(({ signedReference }) => signedReference);
};

describe('the component', () => {
  it('is mismatched where the only signature names another known one', async () => {
    expect(await verifySegment('proxyv2', ['docker.io/istio/ztunnel'])).toMatchObject({
      outcome: 'rejected',
      reason: { code: 'component-mismatch', asked: 'proxyv2', signed: 'ztunnel' },
    });
  });

  it('is mismatched where a signature that names none stands beside one that names another', async () => {
    expect(
      await verifySegment('proxyv2', ['corp.example/re-signed', 'docker.io/istio/ztunnel']),
    ).toMatchObject({
      outcome: 'rejected',
      reason: { code: 'component-mismatch', asked: 'proxyv2', signed: 'ztunnel' },
    });
  });

  it('is proven where one signature names it, and those of others do not count', async () => {
    const names = ['docker.io/istio/ztunnel', 'docker.io/istio/proxyv2', 'corp.example/re-signed'];
    expect(await verifySegment('proxyv2', names)).toMatchObject({
      outcome: 'verified',
      componentProven: true,
    });
    expect(await signedNames('proxyv2', names)).toEqual([
      'index.docker.io/istio/proxyv2',
      'corp.example/re-signed',
    ]);
  });

  it('is not proven where no signature names any', async () => {
    expect(await verifySegment('proxyv2', ['corp.example/re-signed'])).toMatchObject({
      outcome: 'verified',
      componentProven: false,
    });
  });

  it('is not compared where none is asked for', async () => {
    expect(await verifySegment('operator-bundle', ['docker.io/istio/ztunnel'])).toMatchObject({
      outcome: 'verified',
      componentProven: false,
    });
  });

  it('is mismatched at every use, also where the digest is remembered for another', async () => {
    const { store, signer, verify } = await createHarness();
    const layers = [sign(signer, 'docker.io/istio/ztunnel', digest)];
    pushSignatures(store, `${MIRROR}/ztunnel`, digest, layers);
    pushSignatures(store, `${MIRROR}/proxyv2`, digest, layers);
    expect(await verify(`${MIRROR}/ztunnel@${digest}`)).toMatchObject({ outcome: 'verified' });
    expect(await verify(`${MIRROR}/proxyv2@${digest}`)).toMatchObject({
      reason: { code: 'component-mismatch', asked: 'proxyv2', signed: 'ztunnel' },
    });
    expect(await verify(`${MIRROR}/unsigned-copy/proxyv2@${digest}`)).toMatchObject({
      reason: { code: 'component-mismatch' },
    });
  });
});

describe("a key's places", () => {
  const signedBy = async (places: readonly string[]) => {
    const harness = await createHarness();
    harness.ring = ringOf([await trust(harness.signer, { for: places })]);
    pushSignatures(harness.store, `${MIRROR}/pilot`, digest, [
      sign(harness.signer, 'docker.io/istio/pilot', digest),
    ]);
    return harness;
  };

  it('do not include another mirror', async () => {
    const { verify, key } = await signedBy(['docker.io/istio']);
    expect(await verify(`${MIRROR}/pilot@${digest}`)).toMatchObject({
      outcome: 'rejected',
      reason: { code: 'signer-untrusted', detail: `key ${key.keyId} may not sign for ${MIRROR}` },
    });
  });

  it('include nothing where the image is on no hub or mirror', async () => {
    const { verify } = await signedBy([MIRROR]);
    expect(await verify(`${MIRROR}/pilot@${digest}`, { places: [] })).toMatchObject({ outcome: 'rejected' });
  });

  it('may be one of several', async () => {
    const { verify } = await signedBy(['docker.io/istio', MIRROR]);
    expect(await verify(`${MIRROR}/pilot@${digest}`)).toMatchObject({ outcome: 'verified' });
  });

  it('are compared at every use, also where the digest is remembered', async () => {
    const { verify } = await signedBy([MIRROR]);
    expect(await verify(`${MIRROR}/pilot@${digest}`)).toMatchObject({ outcome: 'verified' });
    expect(await verify(`${MIRROR}/pilot@${digest}`, { places: ['docker.io/istio'] })).toMatchObject({
      outcome: 'rejected',
      reason: { code: 'signer-untrusted' },
    });
    expect(await verify(`${MIRROR}/pilot@${digest}`)).toMatchObject({ outcome: 'verified', requests: 0 });
  });
});

describe('the transparency log, where it is required', () => {
  const PROOF = { logIndex: '7', integratedTime: 1_800_000_000 };
  const at = `${MIRROR}/pilot`;
  /** A log that has the payloads that contain one of these words. */
  const logOf =
    (...words: readonly string[]): ProveLogged =>
    ({ payload }) =>
      words.some((word) => Buffer.from(payload).toString().includes(word))
        ? { proof: PROOF }
        : { problem: 'it has no entry of it' };

  it('does not let a valid signature count that it does not prove', async () => {
    const { verify, store, signer } = await createHarness({ proveLogged: logOf() });
    pushSignatures(store, at, digest, [sign(signer, 'docker.io/istio/pilot', digest)]);
    pushBundle(store, at, digest, bundleOf(signer, digest));
    expect(await verify(`${at}@${digest}`)).toEqual({
      outcome: 'rejected',
      digest,
      reason: { code: 'transparency-log-unproven', detail: 'it has no entry of it' },
      requests: 5,
      fromMemory: false,
    });
  });

  it('does not excuse a stranger', async () => {
    const { verify, store, stranger } = await createHarness({ proveLogged: logOf('') });
    pushBundle(store, at, digest, bundleOf(stranger, digest));
    expect(await verify(`${at}@${digest}`)).toMatchObject({ reason: { code: 'signer-untrusted' } });
  });

  it('must prove the very signature that names the component', async () => {
    const harness = await createHarness({ proveLogged: logOf('ztunnel') });
    pushSignatures(
      harness.store,
      at,
      digest,
      ['pilot', 'ztunnel'].map((name) => sign(harness.signer, `docker.io/istio/${name}`, digest)),
    );
    expect(await harness.verify(`${at}@${digest}`)).toMatchObject({
      reason: { code: 'component-mismatch', asked: 'pilot', signed: 'ztunnel' },
    });
  });

  it('must prove the very signature whose key may sign here', async () => {
    const harness = await createHarness({ proveLogged: logOf('elsewhere') });
    harness.ring = ringOf([harness.key, await trust(harness.stranger, { for: ['other.example/istio'] })]);
    pushSignatures(harness.store, at, digest, [
      sign(harness.stranger, 'elsewhere.example/re-signed', digest),
      sign(harness.signer, 'docker.io/istio/pilot', digest),
    ]);
    expect(await harness.verify(`${at}@${digest}`)).toMatchObject({
      reason: { code: 'transparency-log-unproven' },
    });
  });

  it('needs to prove one, and the others do not count', async () => {
    const { verify, store, signer } = await createHarness({ proveLogged: logOf('in-toto') });
    pushSignatures(store, at, digest, [sign(signer, 'docker.io/istio/pilot', digest)]);
    pushBundle(store, at, digest, bundleOf(signer, digest));
    expect(await verify(`${at}@${digest}`)).toMatchObject({
      outcome: 'verified',
      signatures: [{ format: 'sigstore-bundle', logged: { proof: PROOF } }],
      componentProven: false,
    });
  });

  it('is asked with what the format carries of it', async () => {
    const asked: unknown[] = [];
    const proveLogged: ProveLogged = (logged) => {
      asked.push(logged);
      return { proof: PROOF };
    };
    const { verify, store, signer, key } = await createHarness({ proveLogged });
    const annotations = { 'dev.sigstore.cosign/bundle': '{"log":1}' };
    pushSignatures(store, at, digest, [sign(signer, 'docker.io/istio/pilot', digest, { annotations })]);
    pushBundle(store, at, digest, bundleOf(signer, digest, { entries: [{ logIndex: '7' }] }));
    expect(await verify(`${at}@${digest}`)).toMatchObject({ outcome: 'verified' });
    const bytes = expect.any(Buffer);
    const common = { key: key.publicKey, signature: bytes, signedBytes: bytes, payload: bytes };
    expect(asked).toHaveLength(2);
    expect(asked).toContainEqual({ ...common, format: 'simple-signing', annotation: '{"log":1}' });
    expect(asked).toContainEqual({
      ...common,
      format: 'sigstore-bundle',
      entries: [{ logIndex: '7' }],
    });
  });

  it('is compared at every use, also where the digest is remembered', async () => {
    const { verify, store, signer } = await createHarness({ proveLogged: logOf() });
    pushSignatures(store, at, digest, [sign(signer, 'docker.io/istio/pilot', digest)]);
    const code = { reason: { code: 'transparency-log-unproven' } };
    expect(await verify(`${at}@${digest}`)).toMatchObject(code);
    expect(await verify(`${at}@${digest}`)).toMatchObject(code);
  });

  it('is not asked where it is ignored', async () => {
    const { verify, store, signer } = await createHarness();
    pushBundle(
      store,
      at,
      digest,
      bundleOf(signer, digest, { entries: [{ canonicalizedBody: 'no entry at all' }] }),
    );
    expect(await verify(`${at}@${digest}`)).toMatchObject({
      outcome: 'verified',
      signatures: [{ logged: undefined }],
    });
  });
});
