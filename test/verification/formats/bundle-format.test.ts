import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRepository, digestOf } from '../../../src/image/index.ts';
import { createSourceCaller } from '../../../src/registry/index.ts';
import {
  BUNDLE_TYPE,
  type BundleDefect,
  type BundleManifestOptions,
  type BundleOptions,
  bundleManifest,
  bundleOf,
  pushBundle,
  signStatement,
} from '../../support/bundle-kit.ts';
import {
  imageIndex,
  imageManifest,
  push,
  pushSignatures,
  type Signer,
  sign,
  signatureTag,
} from '../../support/signing-kit.ts';
import { createHarness, type Harness, LIMITS, ringOf, trust, wordOf } from '../harness.ts';

const PILOT = 'docker.io/istio/pilot';
const IMAGE = imageManifest('pilot 1.29.0');
const { digest } = IMAGE;
const BY_DIGEST = `${PILOT}@${digest}`;
const OTHER = imageManifest('another image').digest;
const LOOK = 2;

type Push = (harness: Harness) => unknown;

const createHarnessWith = async (
  changes: Parameters<typeof createHarness>[0],
  ...pushes: readonly Push[]
): Promise<Harness> => {
  const harness = await createHarness(changes);
  push(harness.store, PILOT, IMAGE, '1.29.0');
  for (const each of pushes) each(harness);
  return harness;
};

const bundle =
  (
    options: BundleOptions = {},
    manifest: BundleManifestOptions = {},
    by: (harness: Harness) => Signer = (h) => h.signer,
  ): Push =>
  (harness) =>
    pushBundle(harness.store, PILOT, digest, bundleOf(by(harness), digest, options), manifest);
const byStranger = (harness: Harness): Signer => harness.stranger;
const signature: Push = ({ store, signer }) =>
  pushSignatures(store, PILOT, digest, [sign(signer, PILOT, digest)]);
const strangeSignature: Push = ({ store, stranger }) =>
  pushSignatures(store, PILOT, digest, [sign(stranger, PILOT, digest)]);

/** An attestation of another signer; each is different. */
const foreign =
  (seed: number | string, artifactType?: string): Push =>
  ({ store, stranger }) => {
    const attestation = bundleOf(stranger, digest, {
      spoil: 'other-predicate',
      annotations: { seed: `${seed}` },
    });
    pushBundle(store, PILOT, digest, attestation, artifactType === undefined ? {} : { artifactType });
  };
const foreigners =
  (count: number, artifactType?: string): Push =>
  (harness) => {
    for (let seed = 0; seed < count; seed += 1) foreign(seed, artifactType)(harness);
  };

const wordAfter = async (...pushes: readonly Push[]): Promise<string> =>
  wordOf(await (await createHarnessWith({}, ...pushes)).verify(BY_DIGEST));

describe('an image with nothing but bundles is rejected', () => {
  it.each<[BundleDefect, string]>([
    ['flipped-bit', 'signer-untrusted'],
    ['signed-without-pae', 'signer-untrusted'],
    ['two-signatures', 'signature-invalid'],
    ['no-signature', 'signature-invalid'],
    ['other-statement-type', 'signature-invalid'],
    ['predicate-no-object', 'signature-invalid'],
    ['no-subject', 'signature-invalid'],
    ['upper-case-digest', 'signature-invalid'],
    ['sha512-only', 'signature-invalid'],
    ['p1363', 'signature-invalid'],
    ['der-trailing-byte', 'signature-invalid'],
    ['bad-base64', 'signature-invalid'],
    ['duplicate-keys', 'signature-invalid'],
    ['duplicate-keys-signed', 'signature-invalid'],
    ['not-json', 'signature-invalid'],
    ['statement-not-json', 'signature-invalid'],
    ['other-payload-type', 'signature-missing'],
    ['other-predicate', 'signature-missing'],
    ['certificate', 'signature-missing'],
    ['certificate-beside', 'signature-missing'],
    ['message-signature', 'signature-missing'],
    ['message-signature-beside', 'signature-missing'],
    ['other-version', 'signature-missing'],
  ])('where its only one is spoiled: %s', async (spoil, word) => {
    expect(await wordAfter(bundle({ spoil }))).toBe(word);
  });

  it('where a stranger signed it', async () => {
    const { verify, key } = await createHarnessWith({}, bundle({}, {}, byStranger));
    expect(await verify(BY_DIGEST)).toEqual({
      outcome: 'rejected',
      digest,
      reason: { code: 'signer-untrusted', detail: `no key of the key ring made it (${key.keyId})` },
      requests: LOOK + 2,
      fromMemory: false,
    });
  });

  it('where a trusted bundle is over another image', async () => {
    const { verify } = await createHarnessWith({}, bundle({ payload: signStatement(OTHER) }));
    expect(await verify(BY_DIGEST)).toMatchObject({
      reason: { code: 'signature-for-other-image', signed: OTHER },
    });
  });

  it.each<[string, BundleManifestOptions, string]>([
    ['is of another type', { layerType: 'application/octet-stream' }, 'signature-missing'],
    ['is there twice', { layers: 2 }, 'signature-missing'],
    ['is not there at all', { layers: 0 }, 'signature-missing'],
    ['has no sha256 digest', { declaredDigest: `sha512:${'0'.repeat(128)}` }, 'signature-invalid'],
    ['is not in the registry', { declaredDigest: digestOf('nothing') }, 'signature-invalid'],
    ['is shorter than declared', { declaredSize: 1_000_000 }, 'signature-invalid'],
    ['is longer than declared', { declaredSize: 3 }, 'signature-invalid'],
    ['is declared of less than nothing', { declaredSize: -1 }, 'signature-invalid'],
    ['is of no size', { declaredSize: Number.NaN }, 'signature-invalid'],
  ])('where the layer of its manifest %s', async (_, manifest, word) => {
    expect(await wordAfter(bundle({}, manifest))).toBe(word);
  });

  it.each([
    ['is not there', undefined],
    ['is no JSON', Buffer.from('<html>')],
    ['has a key twice', Buffer.from('{"layers":[],"layers":[]}')],
    ['is an index', imageIndex('no bundle').bytes],
    ['has a layer that is none', Buffer.from('{"layers":[null]}')],
  ])('where what refers to it %s', async (_, bytes) => {
    const listed: Push = ({ store }) => {
      if (bytes !== undefined)
        store.pushManifest(PILOT, undefined, bytes, 'application/vnd.oci.image.manifest.v1+json');
      const descriptor = { digest: digestOf(bytes ?? 'nothing'), artifactType: BUNDLE_TYPE };
      store.list(PILOT, digest, { descriptors: [descriptor], more: false });
    };
    expect(await wordAfter(listed)).toBe('signature-missing');
  });

  it('where a bundle is declared too large, without asking for it: it attests something', async () => {
    const { verify, store } = await createHarnessWith({}, bundle({}, { declaredSize: LIMITS.blobBytes + 1 }));
    expect(wordOf(await verify(BY_DIGEST))).toBe('signature-missing');
    expect(store.requests.filter((line) => line.includes(' blob '))).toEqual([]);
  });

  it('where a signed payload is too long to be a signature', async () => {
    const long = { annotations: { text: 'x'.repeat(LIMITS.payloadBytes) } };
    expect(await wordAfter(bundle(long))).toBe('signature-missing');
  });

  it('where the manifest alone says that it is one', async () => {
    const listed: Push = ({ store, signer }) =>
      push(store, PILOT, bundleManifest(bundleOf(signer, OTHER), digest));
    expect(await wordAfter(listed)).toBe('signature-for-other-image');
  });
});

describe('an image is verified by a bundle', () => {
  it('in four requests, with no component proven', async () => {
    const { verify, store, signer, key } = await createHarnessWith({});
    const made = bundleOf(signer, digest);
    const manifest = pushBundle(store, PILOT, digest, made);
    expect(await verify(BY_DIGEST)).toEqual({
      outcome: 'verified',
      digest,
      signatures: [
        {
          keyId: key.keyId,
          format: 'sigstore-bundle',
          signedReference: undefined,
          payload: signStatement(digest).toString(),
          logBundle: undefined,
          logged: undefined,
        },
      ],
      componentProven: false,
      requests: 4,
      fromMemory: false,
    });
    expect(store.requests).toEqual([
      `${PILOT} referrers ${digest}`,
      `${PILOT} manifest ${signatureTag(digest)}`,
      `${PILOT} manifest ${manifest.digest}`,
      `${PILOT} blob ${digestOf(made)}`,
    ]);
  });

  it.each<[string, BundleOptions, BundleManifestOptions]>([
    ['has no predicate, as of cosign 3.0.4', { withoutPredicate: true }, {}],
    ['names several images', { otherSubjects: [OTHER] }, {}],
    ['carries annotations', { annotations: { channel: 'stable' } }, {}],
    ['is listed as an artifact of another type', {}, { artifactType: 'application/vnd.oci.empty.v1+json' }],
    ['is listed without an artifact type', {}, { artifactType: null }],
    ['is of a later type of layer', {}, { layerType: `${BUNDLE_TYPE};charset=utf-8` }],
  ])('that %s', async (_, options, manifest) => {
    expect(await wordAfter(bundle(options, manifest))).toBe('verified');
  });

  it('of its index, and each child by its own alone', async () => {
    const index = imageIndex('pilot 1.30.0');
    const { verify } = await createHarnessWith({}, ({ store, signer }) => {
      push(store, PILOT, index, '1.30.0');
      pushBundle(store, PILOT, index.digest, bundleOf(signer, index.digest));
    });
    expect(wordOf(await verify(`${PILOT}:1.30.0`))).toBe('verified');
    expect(wordOf(await verify(`${PILOT}@${index.children[0]?.digest}`))).toBe('signature-missing');
  });

  it('with every valid one, by any key, before those under its tag', async () => {
    const harness = await createHarnessWith({}, signature, bundle(), bundle({}, {}, byStranger));
    harness.ring = ringOf([harness.key, await trust(harness.stranger)]);
    const verdict = await harness.verify(BY_DIGEST);
    const formats = verdict.outcome === 'verified' && verdict.signatures.map(({ format }) => format);
    expect(formats).toEqual(['sigstore-bundle', 'sigstore-bundle', 'simple-signing']);
  });
});

describe('an image stays undetermined', () => {
  it.each([
    ['the list of what refers to it', / referrers /],
    ['its signature tag', /\.sig$/],
  ])('where %s cannot be read and the other place holds nothing', async (_, pattern) => {
    const { verify } = await createHarnessWith({}, ({ store }) => store.failWhere(pattern, 'unavailable'));
    expect(wordOf(await verify(BY_DIGEST))).toBe('registry-unavailable');
  });

  it('where a bundle cannot be read and nothing else is valid', async () => {
    const { verify } = await createHarnessWith({}, bundle(), strangeSignature, ({ store }) =>
      store.failWhere(/ blob /, 'refused'),
    );
    expect(wordOf(await verify(BY_DIGEST))).toBe('registry-refused');
  });

  it('where an unknown key made a bundle for it while a key of the configuration is missing', async () => {
    const harness = await createHarnessWith({}, bundle({}, {}, byStranger));
    harness.ring = ringOf([harness.key], [{ source: 'a key', problem: 'unreachable' }]);
    expect(wordOf(await harness.verify(BY_DIGEST))).toBe('key-ring-incomplete');
  });

  it('but not where the bundle of an unknown key is for another image', async () => {
    const harness = await createHarnessWith({}, bundle({ payload: signStatement(OTHER) }, {}, byStranger));
    harness.ring = ringOf([harness.key], [{ source: 'a key', problem: 'unreachable' }]);
    expect(wordOf(await harness.verify(BY_DIGEST))).toBe('signer-untrusted');
  });
});

/** Content beside a valid signature, in either place, that must not block it. */
const AROUND: Readonly<Record<string, Push>> = {
  'a foreign attestation': foreign('one'),
  'a bundle by a stranger': bundle({}, {}, byStranger),
  'a bundle for another image': bundle({ payload: signStatement(OTHER) }),
  'a bundle of two signatures': bundle({ spoil: 'two-signatures' }),
  'a bundle that is no JSON': bundle({ spoil: 'not-json' }),
  'a bundle that is not there': bundle({ annotations: { a: '1' } }, { declaredDigest: digestOf('nothing') }),
  'a bundle with a certificate': bundle({ spoil: 'certificate' }),
  'what refers and is no bundle': ({ store }) =>
    store.pushManifest(
      PILOT,
      undefined,
      Buffer.from(JSON.stringify({ subject: { digest }, layers: 'none' })),
      'application/vnd.oci.image.manifest.v1+json',
    ),
};
/** The same for a valid bundle: content of the signature tag that must not block it. */
const UNDER_TAG: Readonly<Record<string, Push>> = {
  'a signature by a stranger': strangeSignature,
  'a broken signature': ({ store, signer }) =>
    pushSignatures(store, PILOT, digest, [sign(signer, PILOT, digest, { spoil: 'bad-base64' })]),
  'a signature of another image': ({ store, signer }) =>
    pushSignatures(store, PILOT, digest, [sign(signer, PILOT, OTHER)]),
  'an index': ({ store }) => push(store, PILOT, imageIndex('none'), signatureTag(digest)),
  '1001 layers': ({ store, signer }) =>
    pushSignatures(
      store,
      PILOT,
      digest,
      Array.from({ length: 1001 }, () => sign(signer, PILOT, digest, { payload: Buffer.of() })),
    ),
  'a registry that fails there': ({ store }) => store.failWhere(/\.sig$/, 'unavailable'),
  'a registry that refuses there': ({ store }) => store.failWhere(/\.sig$/, 'refused'),
};
const BESIDE_TAG: Readonly<Record<string, Push>> = {
  'a list that cannot be had': ({ store }) => store.failWhere(/ referrers /, 'unavailable'),
  'a list that is none': ({ store }) => store.failWhere(/ referrers /, 'answer-invalid'),
  'a list that is refused': ({ store }) => store.failWhere(/ referrers /, 'refused'),
};

describe('any one valid signature suffices', () => {
  it.each(Object.entries({ ...AROUND, ...UNDER_TAG }))(
    'in a bundle, whatever else is there: %s',
    async (_, around) => {
      expect(await wordAfter(around, bundle())).toBe('verified');
    },
  );

  it.each(Object.entries({ ...AROUND, ...BESIDE_TAG }))(
    'under the tag, whatever else is there: %s',
    async (_, around) => {
      expect(await wordAfter(around, signature)).toBe('verified');
    },
  );

  it('in a bundle, though another cannot be read', async () => {
    const { verify, store, stranger } = await createHarnessWith({}, bundle());
    const other = bundleOf(stranger, digest);
    pushBundle(store, PILOT, digest, other);
    store.failWhere(new RegExp(digestOf(other)), 'unavailable');
    expect(wordOf(await verify(BY_DIGEST))).toBe('verified');
  });

  it.each([
    [
      'under the tag',
      / referrers /,
      (harness: Harness) =>
        pushSignatures(harness.store, PILOT, digest, [sign(harness.signer, 'elsewhere.example/x', digest)]),
    ],
    ['in a bundle', /\.sig$/, bundle()],
  ])('%s, though it is read later than the other place fails', async (_, pattern, pushIt) => {
    const { verify, store } = await createHarnessWith({}, pushIt);
    store.failWhere(pattern, 'unavailable');
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', fromMemory: false });
  });

  it('and nothing of all that makes an image verified by itself', async () => {
    const words = await Promise.all(
      Object.values({ ...AROUND, ...UNDER_TAG, ...BESIDE_TAG }).map((around) => wordAfter(around)),
    );
    expect(words.filter((word) => word === 'verified')).toEqual([]);
  });

  it('in any order of what is listed, with the same verdict', async () => {
    const around = Object.values(AROUND);
    const harness = await createHarnessWith(
      { limits: { ...LIMITS, verifiedBytes: 1, rejectedMemory: 0 } },
      ...around,
      bundle(),
    );
    const listed = await harness.store
      .open(createRepository('docker.io', 'istio/pilot'), createSourceCaller())
      .referrers(digest, AbortSignal.timeout(1000));
    const order = fc.shuffledSubarray([...listed.descriptors], { minLength: listed.descriptors.length });
    await fc.assert(
      fc.asyncProperty(order, async (descriptors) => {
        harness.store.list(PILOT, digest, { descriptors, more: false });
        expect(await harness.verify(BY_DIGEST)).toMatchObject({
          outcome: 'verified',
          signatures: [{ keyId: harness.key.keyId, format: 'sigstore-bundle' }],
        });
      }),
      { numRuns: 100 },
    );
  });

  it('while the other place hangs, once the caller can wait no longer', async () => {
    const hangs = [/ referrers /, /\.sig$/].map(async (pattern, place) => {
      const harness = await createHarnessWith({}, place === 0 ? signature : bundle());
      harness.store.hangWhere(pattern);
      const impatient = AbortSignal.timeout(100);
      return wordOf(await harness.verify(BY_DIGEST, {}, impatient));
    });
    expect(await Promise.all(hangs)).toEqual(['verified', 'verified']);
  });
});

describe('candidates are bounded', () => {
  const FOREIGN_TYPE = 'application/vnd.example.sbom';

  it('the hundredth counts, the hundred and first does not', async () => {
    expect(await wordAfter(foreigners(99), bundle())).toBe('verified');
    expect(await wordAfter(foreigners(100), bundle())).toBe('too-many-signatures');
  });

  it('so that a hundred attempts are made, and no more', async () => {
    const { verify, store } = await createHarnessWith({}, foreigners(150));
    expect(await verify(BY_DIGEST)).toEqual({
      outcome: 'rejected',
      digest,
      reason: { code: 'too-many-signatures', tried: 100 },
      requests: LOOK + 200,
      fromMemory: false,
    });
    expect(store.requests).toHaveLength(LOOK + 200);
  });

  it('what is listed twice is tried once', async () => {
    const { verify, store } = await createHarnessWith({}, bundle({}, {}, byStranger));
    const [descriptor] = (
      await store
        .open(createRepository('docker.io', 'istio/pilot'), createSourceCaller())
        .referrers(digest, AbortSignal.timeout(1000))
    ).descriptors;
    store.list(PILOT, digest, {
      descriptors: Array.from({ length: 500 }, () => descriptor ?? never()),
      more: false,
    });
    expect(await verify(BY_DIGEST)).toMatchObject({
      reason: { code: 'signer-untrusted' },
      requests: LOOK + 2,
    });
  });

  it('bundles are tried first, so that a flood of others hides none', async () => {
    expect(await wordAfter(foreigners(150, FOREIGN_TYPE), bundle())).toBe('verified');
  });

  it('what is listed as something else is tried after them', async () => {
    expect(await wordAfter(foreigners(99), bundle({}, { artifactType: FOREIGN_TYPE }))).toBe('verified');
    expect(await wordAfter(foreigners(100), bundle({}, { artifactType: FOREIGN_TYPE }))).toBe(
      'too-many-signatures',
    );
  });

  it('a flood of what refers to an image does not hide what stands under its tag', async () => {
    expect(await wordAfter(foreigners(150), signature)).toBe('verified');
  });

  it('a flood under the tag does not hide a bundle', async () => {
    const flood: Push = ({ store, stranger }) =>
      pushSignatures(
        store,
        PILOT,
        digest,
        Array.from({ length: 150 }, () => sign(stranger, PILOT, digest)),
      );
    expect(await wordAfter(flood, bundle())).toBe('verified');
  });

  it('pages that were not read are more', async () => {
    const unread: Push = ({ store }) => store.list(PILOT, digest, { descriptors: [], more: true });
    expect(await wordAfter(unread)).toBe('too-many-signatures');
    expect(await wordAfter(unread, signature)).toBe('verified');
  });
});

const never = (): never => {
  throw new Error('nothing is listed');
};
