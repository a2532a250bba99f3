import { describe, expect, it } from 'vitest';
import { createRepository, digestOf, repositoryFromName } from '../../src/image/index.ts';
import { createSourceCaller, type FaultCode, type Source, SourceFault } from '../../src/registry/index.ts';
import type { SignatureProof } from '../../src/verification/signature-proof.ts';
import { bundleOf, pushBundle } from '../support/bundle-kit.ts';
import { imageManifest, push, pushSignatures, sign, signatureTag } from '../support/signing-kit.ts';
import { createHarness, type Harness, LIMITS, ringOf, trust, wordOf } from './harness.ts';
import { createStore, type Store } from './store.ts';

const HUB = 'docker.io/istio/pilot';
const MIRROR = 'mirror.example/istio/pilot';
const IMAGE = imageManifest('pilot of several sources');
const { digest } = IMAGE;
const AT_MIRROR = `${MIRROR}@${digest}`;
const AT_HUB = { signaturesAt: [repositoryFromName(HUB)] };
const BOTH = { signaturesAt: [MIRROR, HUB].map(repositoryFromName) };

type Push = (harness: Harness, repository: string) => unknown;
const bundle: Push = ({ store, signer }, at) => pushBundle(store, at, digest, bundleOf(signer, digest));
const signature: Push = ({ store, signer }, at) =>
  pushSignatures(store, at, digest, [sign(signer, HUB, digest)]);
const strange: Push = ({ store, stranger }, at) =>
  pushSignatures(store, at, digest, [sign(stranger, HUB, digest)]);
const broken: Push = ({ store, signer }, at) =>
  pushSignatures(store, at, digest, [sign(signer, HUB, digest, { spoil: 'bad-base64' })]);
const nothing: Push = () => undefined;
const failing =
  (code: FaultCode): Push =>
  ({ store }, at) =>
    store.failWhere(new RegExp(`^${at.replaceAll('.', '\\.')} `), code);

const createHarnessWith = async (atMirror: Push, atHub: Push): Promise<Harness> => {
  const harness = await createHarness();
  atMirror(harness, MIRROR);
  atHub(harness, HUB);
  return harness;
};

describe('signatures in several repositories', () => {
  it.each<[string, Push, Push, string]>([
    ['neither holds any', nothing, nothing, 'signature-missing'],
    ['the first holds a stranger’s, the second none', strange, nothing, 'signer-untrusted'],
    ['the first holds none, the second a stranger’s', nothing, strange, 'signer-untrusted'],
    ['the first holds a broken one, the second a stranger’s', broken, strange, 'signature-invalid'],
    ['the first holds none, the second is away', nothing, failing('unavailable'), 'registry-unavailable'],
    ['the first is away, the second holds none', failing('unavailable'), nothing, 'registry-unavailable'],
    ['the first holds a stranger’s, the second refuses', strange, failing('refused'), 'registry-refused'],
    ['both are away, in two ways', failing('rate-limited'), failing('unavailable'), 'registry-rate-limited'],
  ])('do not verify where %s', async (_, atMirror, atHub, word) => {
    const harness = await createHarnessWith(atMirror, atHub);
    expect(wordOf(await harness.verify(AT_MIRROR, BOTH))).toBe(word);
  });

  it.each<[string, Push, Push]>([
    ['the first holds one', signature, nothing],
    ['the first holds a bundle', bundle, nothing],
    ['the second holds one, the first none', nothing, signature],
    ['the second holds a bundle, the first a stranger’s', strange, bundle],
    ['the second holds one, the first a broken one', broken, signature],
    ['the second holds one, the first is away', failing('unavailable'), signature],
    ['the second holds one, the first refuses', failing('refused'), signature],
    ['the first holds one, the second is away', signature, failing('unavailable')],
  ])('verify where %s', async (_, atMirror, atHub) => {
    const harness = await createHarnessWith(atMirror, atHub);
    expect(wordOf(await harness.verify(AT_MIRROR, BOTH))).toBe('verified');
  });

  it('are asked in their order, and no more of them than it takes', async () => {
    const requestsAt = (at: string) => [
      `${at} referrers ${digest}`,
      `${at} manifest ${signatureTag(digest)}`,
    ];
    const first = await createHarnessWith(signature, signature);
    expect(await first.verify(AT_MIRROR, BOTH)).toMatchObject({ outcome: 'verified', requests: 2 });
    expect(first.store.requests).toEqual(requestsAt(MIRROR));
    const second = await createHarnessWith(strange, signature);
    expect(await second.verify(AT_MIRROR, BOTH)).toMatchObject({ outcome: 'verified', requests: 4 });
    expect(second.store.requests).toEqual([...requestsAt(MIRROR), ...requestsAt(HUB)]);
  });

  it('count all requests, whichever of them the verdict is from', async () => {
    const harness = await createHarnessWith(strange, nothing);
    expect(await harness.verify(AT_MIRROR, BOTH)).toEqual({
      outcome: 'rejected',
      digest,
      reason: { code: 'signer-untrusted', detail: expect.any(String) },
      requests: 4,
      fromMemory: false,
    });
  });

  it('are not looked for where the image itself is, unless that is one of them', async () => {
    const harness = await createHarnessWith(signature, nothing);
    expect(wordOf(await harness.verify(AT_MIRROR, AT_HUB))).toBe('signature-missing');
    expect(harness.store.requests.some((line) => line.startsWith(MIRROR))).toBe(false);
  });

  it('leave it to the image’s own repository what a tag stands for', async () => {
    const harness = await createHarnessWith(nothing, signature);
    push(harness.store, HUB, imageManifest('another image'), '1.28.0');
    push(harness.store, MIRROR, IMAGE, '1.28.0');
    expect(await harness.verify(`${MIRROR}:1.28.0`, AT_HUB)).toMatchObject({
      outcome: 'verified',
      digest,
      requests: 3,
    });
  });
});

/** A harness with a registry, and evidence in stores of its own. */
const withEvidence = async (
  evidence: readonly Source[],
  changes: Parameters<typeof createHarness>[0] = {},
): Promise<Harness> => createHarness({ openEvidence: () => evidence, ...changes });

const layout = (store: Store, id: string): Source => ({
  ...store.open(createRepository('layout', id), createSourceCaller()),
  id: `layout/${id}`,
});

/** A harness with evidence in one store, signed by a signer of the harness. */
const createHarnessWithEvidence = async (
  signed: Push,
  changes: Parameters<typeof createHarness>[0] = {},
): Promise<{ readonly harness: Harness; readonly evidence: Store }> => {
  const evidence = createStore();
  const harness = await withEvidence([layout(evidence, 'one')], changes);
  signed({ ...harness, store: evidence }, 'layout/one');
  return { harness, evidence };
};

const silent = new Promise<never>(() => undefined);
const hanging: Source = {
  id: 'hanging',
  resolve: () => silent,
  manifest: () => silent,
  blob: () => silent,
  referrers: () => silent,
};
const refuse = () =>
  Promise.reject(new SourceFault('answer-invalid', 'the layout is broken', { asked: true }));
const brokenLayout: Source = {
  id: 'broken',
  resolve: refuse,
  manifest: refuse,
  blob: refuse,
  referrers: refuse,
};

describe('evidence', () => {
  it.each<[string, Push]>([
    ['a signature', signature],
    ['a bundle', bundle],
  ])('verifies by %s, and no repository is asked', async (_, signed) => {
    const { harness } = await createHarnessWithEvidence(signed);
    expect(await harness.verify(AT_MIRROR)).toMatchObject({
      outcome: 'verified',
      requests: 0,
      fromMemory: false,
    });
    expect(harness.store.requests).toEqual([]);
  });

  it.each<[string, Push]>([
    ['holds nothing', nothing],
    ['holds a stranger’s signature', strange],
    ['holds a broken one', broken],
    [
      'holds the signature of another image under this one’s tag',
      ({ store, signer }, at) =>
        pushSignatures(store, at, digest, [sign(signer, HUB, imageManifest('other').digest)]),
    ],
    [
      'lists what it does not hold',
      ({ store }, at) =>
        store.list(at, digest, {
          descriptors: [{ digest: digestOf('x'), artifactType: undefined }],
          more: true,
        }),
    ],
  ])('that %s never verifies, and never blocks', async (_, held) => {
    const { harness } = await createHarnessWithEvidence(held);
    expect(wordOf(await harness.verify(AT_MIRROR))).toBe('signature-missing');
    signature(harness, HUB);
    expect(wordOf(await harness.verify(AT_MIRROR, AT_HUB))).toBe('verified');
  });

  it('that cannot be read never blocks, and says nothing beside the registry’s verdict', async () => {
    const harness = await withEvidence([brokenLayout]);
    expect(wordOf(await harness.verify(AT_MIRROR))).toBe('signature-missing');
    harness.store.failWith('unavailable');
    expect(wordOf(await harness.verify(AT_MIRROR, AT_HUB))).toBe('registry-unavailable');
    harness.store.failWith(undefined);
    signature(harness, HUB);
    expect(wordOf(await harness.verify(AT_MIRROR, AT_HUB))).toBe('verified');
  });

  it('that does not answer is left after a second', async () => {
    const harness = await withEvidence([hanging]);
    signature(harness, MIRROR);
    const began = performance.now();
    expect(wordOf(await harness.verify(AT_MIRROR, {}, AbortSignal.timeout(5000)))).toBe('verified');
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('in the second place is asked where the first does not verify', async () => {
    const second = createStore();
    const harness = await withEvidence([brokenLayout, layout(second, 'two')]);
    bundle({ ...harness, store: second }, 'layout/two');
    expect(await harness.verify(AT_MIRROR)).toMatchObject({ outcome: 'verified', requests: 0 });
  });

  it('says nothing of a tag while a registry can be asked', async () => {
    const { harness, evidence } = await createHarnessWithEvidence(signature);
    push(evidence, 'layout/one', IMAGE, '1.28.0');
    expect(wordOf(await harness.verify(`${MIRROR}:1.28.0`))).toBe('image-not-found');
    push(harness.store, MIRROR, IMAGE, '1.28.0');
    expect(await harness.verify(`${MIRROR}:1.28.0`)).toMatchObject({ outcome: 'verified', requests: 1 });
  });

  it('is verified again for each use: a key that may not sign for it does not count', async () => {
    const { harness } = await createHarnessWithEvidence(signature);
    harness.ring = ringOf([await trust(harness.signer, { for: ['elsewhere.example/istio'] })]);
    expect(wordOf(await harness.verify(AT_MIRROR))).toBe('signer-untrusted');
    expect(wordOf(await harness.verify(AT_MIRROR, { places: ['elsewhere.example/istio'] }))).toBe('verified');
  });
});

describe('offline', () => {
  const offline = { offline: true };

  it.each<[string, Push, string]>([
    ['holds nothing', nothing, 'signature-missing'],
    ['holds a stranger’s signature', strange, 'signer-untrusted'],
    ['is broken', failing('answer-invalid'), 'registry-answer-invalid'],
    ['holds a signature', signature, 'verified'],
  ])('no repository is asked where evidence %s', async (_, held, word) => {
    const { harness } = await createHarnessWithEvidence(held, offline);
    signature(harness, MIRROR);
    expect(wordOf(await harness.verify(AT_MIRROR))).toBe(word);
    expect(harness.store.requests).toEqual([]);
  });

  it('an image is without a signature where there is no evidence at all', async () => {
    const harness = await createHarness(offline);
    signature(harness, MIRROR);
    expect(await harness.verify(AT_MIRROR)).toEqual({
      outcome: 'rejected',
      digest,
      reason: { code: 'signature-missing' },
      requests: 0,
      fromMemory: false,
    });
    expect(wordOf(await harness.verify(`${MIRROR}:1.28.0`))).toBe('image-not-found');
  });

  it('a tag stands for what evidence says, and that must be proven all the same', async () => {
    const { harness, evidence } = await createHarnessWithEvidence(signature, offline);
    push(evidence, 'layout/one', IMAGE, '1.28.0');
    push(evidence, 'layout/one', imageManifest('unsigned'), '1.28.1');
    expect(await harness.verify(`${MIRROR}:1.28.0`)).toMatchObject({
      outcome: 'verified',
      digest,
      requests: 0,
    });
    expect(wordOf(await harness.verify(`${MIRROR}:1.28.1`))).toBe('signature-missing');
    expect(wordOf(await harness.verify(`${MIRROR}:1.28.2`))).toBe('image-not-found');
    expect(harness.store.requests).toEqual([]);
  });

  it('a tag is looked for in the next place where one cannot be read', async () => {
    const second = createStore();
    const harness = await withEvidence([brokenLayout, layout(second, 'two')], offline);
    signature({ ...harness, store: second }, 'layout/two');
    push(second, 'layout/two', IMAGE, '1.28.0');
    expect(wordOf(await harness.verify(`${MIRROR}:1.28.0`))).toBe('verified');
  });

  it('a tag is undetermined where one place cannot be read and no other knows it', async () => {
    const harness = await withEvidence([layout(createStore(), 'one'), brokenLayout], offline);
    expect(wordOf(await harness.verify(`${MIRROR}:1.28.0`))).toBe('registry-answer-invalid');
  });
});

/** A source that has only these proofs. */
const proofSource = (proofs: readonly SignatureProof[]): Source => ({
  id: 'proofs',
  resolve: async () => undefined,
  manifest: async (at) =>
    proofs.find(({ manifest, tag }) => ('tag' in at ? tag === at.tag : manifest.digest === at.digest))
      ?.manifest,
  blob: async (wanted) => proofs.find(({ blob }) => digestOf(blob) === wanted)?.blob,
  referrers: async (wanted) => ({
    descriptors: proofs
      .filter((proof) => proof.tag === undefined && proof.digest === wanted)
      .map(({ manifest }) => ({ digest: manifest.digest, artifactType: undefined })),
    more: false,
  }),
});

describe('what proves an image is handed on to be kept', () => {
  const createStoringHarness = async (...pushes: readonly Push[]) => {
    const stored: (readonly SignatureProof[])[] = [];
    const harness = await createHarness({ storeProofs: (proofs) => void stored.push(proofs) });
    for (const each of pushes) each(harness, MIRROR);
    return { harness, stored };
  };

  it('and nothing where nothing proves it', async () => {
    const { harness, stored } = await createStoringHarness(strange);
    await harness.verify(AT_MIRROR);
    expect(stored).toEqual([]);
  });

  it('and nothing that evidence holds already', async () => {
    const stored: unknown[] = [];
    const { harness } = await createHarnessWithEvidence(bundle, {
      storeProofs: (proofs) => void stored.push(proofs),
    });
    expect(wordOf(await harness.verify(AT_MIRROR))).toBe('verified');
    expect(stored).toEqual([]);
  });

  it('once for all who asked', async () => {
    const { harness, stored } = await createStoringHarness(signature);
    await Promise.all(Array.from({ length: 80 }, () => harness.verify(AT_MIRROR)));
    await harness.verify(AT_MIRROR);
    expect(stored).toHaveLength(1);
  });

  it('of valid signatures alone, as they were served', async () => {
    const { harness, stored } = await createStoringHarness(strange, bundle, ({ store, stranger }) =>
      pushBundle(store, MIRROR, digest, bundleOf(stranger, digest)),
    );
    await harness.verify(AT_MIRROR);
    expect(stored.map((proofs) => proofs.map(({ tag, digest: of }) => [tag, of]))).toEqual([
      [[undefined, digest]],
    ]);
  });

  it.each<[string, readonly Push[]]>([
    ['a signature', [signature]],
    ['a bundle', [bundle]],
    [
      'a signature beside a stranger’s bundle',
      [signature, ({ store, stranger }) => pushBundle(store, MIRROR, digest, bundleOf(stranger, digest))],
    ],
    ['both', [signature, bundle]],
  ])('and verifies again by nothing else: %s', async (_, pushes) => {
    const { harness, stored } = await createStoringHarness(...pushes);
    const first = await harness.verify(AT_MIRROR);
    const proofs = stored.flat();
    const again = await withEvidence([proofSource(proofs)], { offline: true });
    again.ring = ringOf([harness.key]);
    const second = await again.verify(AT_MIRROR);
    expect(wordOf(second)).toBe('verified');
    expect(second.outcome === 'verified' && second.signatures).toEqual(
      first.outcome === 'verified' && first.signatures,
    );
    again.ring = ringOf([await trust(harness.stranger)]);
    expect(wordOf(await again.verify(AT_MIRROR))).toBe('signer-untrusted');
  });

  it('also where a component mismatches: it proves the digest, and each use is judged by itself', async () => {
    const { harness, stored } = await createStoringHarness(signature);
    expect(wordOf(await harness.verify(AT_MIRROR, { component: 'ztunnel' }))).toBe('component-mismatch');
    expect(stored).toHaveLength(1);
  });

  it('once, though it is served again and again with other annotations', async () => {
    const { harness, stored } = await createStoringHarness();
    const layer = sign(harness.signer, MIRROR, digest);
    for (let times = 0; times < 5; times += 1) {
      const layers = Array.from({ length: 100 }, (_, at) => ({
        ...layer,
        annotations: { ...layer.annotations, 'dev.sigstore.cosign/bundle': `${times} ${at}` },
      }));
      pushSignatures(harness.store, MIRROR, digest, layers);
      const verdict = await harness.verify(AT_MIRROR, { component: 'ztunnel' });
      expect(wordOf(verdict)).toBe('component-mismatch');
      harness.time += LIMITS.rejectedMemory;
    }
    expect(stored.map((proofs) => proofs.length)).toEqual([1]);
    const verified = await harness.verify(AT_MIRROR);
    expect(verified.outcome === 'verified' && verified.signatures).toHaveLength(1);
  });

  it('and a keeper that throws does not take back the verdict', async () => {
    const harness = await createHarness({
      limits: LIMITS,
      storeProofs: () => {
        throw new Error('the disk is full');
      },
    });
    signature(harness, MIRROR);
    expect(wordOf(await harness.verify(AT_MIRROR))).toBe('verified');
    expect(harness.reports).toHaveLength(1);
  });
});
