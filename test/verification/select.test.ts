import { describe, expect, it } from 'vitest';
import { imageManifest, pushSignatures, type Signer, sign } from '../support/signing-kit.ts';
import { createHarness, ringOf, trust } from './harness.ts';

const MIRROR = 'mirror.example/istio';
const { digest } = imageManifest('some image');

/** Asks for `segment` below the mirror, where the image is signed under these names. */
const askFor = async (
  segment: string,
  signedAs: readonly string[],
  sign1: (signer: Signer) => Signer = (s) => s,
) => {
  const harness = await createHarness();
  const layers = signedAs.map((name) => sign(sign1(harness.signer), name, digest));
  pushSignatures(harness.store, `${MIRROR}/${segment}`, digest, layers);
  return harness.verify(`${MIRROR}/${segment}@${digest}`);
};

const signedNames = async (...args: Parameters<typeof askFor>) => {
  const verdict = await askFor(...args);
  return verdict.outcome === 'verified' && verdict.signatures.map(({ signedReference }) => signedReference);
};

describe('the component', () => {
  it('is mismatched where the only signature names another known one', async () => {
    expect(await askFor('proxyv2', ['docker.io/istio/ztunnel'])).toMatchObject({
      outcome: 'rejected',
      reason: { code: 'component-mismatch', asked: 'proxyv2', signed: 'ztunnel' },
    });
  });

  it('is mismatched where a signature that names none stands beside one that names another', async () => {
    expect(await askFor('proxyv2', ['corp.example/re-signed', 'docker.io/istio/ztunnel'])).toMatchObject({
      outcome: 'rejected',
      reason: { code: 'component-mismatch', asked: 'proxyv2', signed: 'ztunnel' },
    });
  });

  it('is proven where one signature names it, and those of others do not count', async () => {
    const names = ['docker.io/istio/ztunnel', 'docker.io/istio/proxyv2', 'corp.example/re-signed'];
    expect(await askFor('proxyv2', names)).toMatchObject({ outcome: 'verified', componentProven: true });
    expect(await signedNames('proxyv2', names)).toEqual([
      'index.docker.io/istio/proxyv2',
      'corp.example/re-signed',
    ]);
  });

  it('is not proven where no signature names any', async () => {
    expect(await askFor('proxyv2', ['corp.example/re-signed'])).toMatchObject({
      outcome: 'verified',
      componentProven: false,
    });
  });

  it('is not compared where none is asked for', async () => {
    expect(await askFor('operator-bundle', ['docker.io/istio/ztunnel'])).toMatchObject({
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
