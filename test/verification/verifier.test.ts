import { describe, expect, it } from 'vitest';
import { createVerifier } from '../../src/verification/index.ts';
import {
  createSigner,
  imageIndex,
  imageManifest,
  push,
  pushSignatures,
  type SignatureDefect,
  type SignatureLayer,
  sign,
  signatureManifest,
  signatureTag,
  simpleSigningPayload,
} from '../support/signing-kit.ts';
import {
  createHarness,
  FOREVER,
  type Harness,
  LIMITS,
  requestFor,
  ringOf,
  trust,
  wordOf,
} from './harness.ts';

const HUB = 'docker.io/istio';
const PILOT = `${HUB}/pilot`;
const IMAGE = imageManifest('pilot 1.28.0');
const { digest } = IMAGE;
const BY_DIGEST = `${PILOT}@${digest}`;

/** The requests for a digest: its referrers and its signature tag, sent concurrently. */
const DIGEST_REQUESTS = [`${PILOT} referrers ${digest}`, `${PILOT} manifest ${signatureTag(digest)}`];

/** A harness with a pilot image that has these signatures. */
const withSignatures = async (
  make: (harness: Harness) => readonly SignatureLayer[],
  changes: Parameters<typeof createHarness>[0] = {},
): Promise<Harness> => {
  const harness = await createHarness(changes);
  push(harness.store, PILOT, IMAGE, '1.28.0');
  pushSignatures(harness.store, PILOT, digest, make(harness));
  return harness;
};

const rejected = (reason: object, requests = 2) => ({
  outcome: 'rejected',
  digest,
  reason,
  requests,
  fromMemory: false,
});
const undetermined = (reason: object, requests = 2) => ({
  ...rejected(reason, requests),
  outcome: 'undetermined',
});
const invalid = (detail: string) => ({ code: 'signature-invalid', detail });

describe('an image is rejected', () => {
  it('where its tag is not there', async () => {
    const { verify } = await createHarness();
    expect(await verify(`${PILOT}:9.9.9`)).toEqual({
      outcome: 'rejected',
      digest: undefined,
      reason: { code: 'image-not-found' },
      requests: 1,
      fromMemory: false,
    });
  });

  it('where it has no signature', async () => {
    const harness = await createHarness();
    push(harness.store, PILOT, IMAGE, '1.28.0');
    expect(await harness.verify(BY_DIGEST)).toEqual(rejected({ code: 'signature-missing' }));
  });

  it.each<[SignatureDefect, object]>([
    ['other-type', invalid('the signed payload is of type "atomic container signature"')],
    [
      'upper-case-digest',
      invalid(
        `the signed payload names no digest: "${`sha256:${digest.slice(7).toUpperCase()}`.slice(0, 60)}"`,
      ),
    ],
    ['duplicate-keys', invalid('the signed payload cannot be read: the key "critical" occurs twice')],
    ['not-json', invalid('the signed payload cannot be read: it is not JSON in UTF-8')],
    ['bad-base64', invalid('the signature is not standard base64')],
    ['der-trailing-byte', invalid('the signature is not a DER-encoded ECDSA signature')],
    ['der-long-length', invalid('the signature is not a DER-encoded ECDSA signature')],
    ['p1363', invalid('the signature is not a DER-encoded ECDSA signature')],
    ['empty-signature', invalid('the signature is not a DER-encoded ECDSA signature')],
    ['no-annotation', invalid('the layer carries no signature')],
    ['foreign-media-type', { code: 'signature-missing' }],
  ])('where its only signature is spoiled: %s', async (spoil, reason) => {
    const { verify } = await withSignatures(({ signer }) => [sign(signer, PILOT, digest, { spoil })]);
    const verdict = await verify(BY_DIGEST);
    expect(verdict).toEqual(rejected(reason, verdict.requests));
  });

  it('where a trusted signature is over another image', async () => {
    const other = imageManifest('another image').digest;
    const { verify } = await withSignatures(({ signer }) => [sign(signer, PILOT, other)]);
    expect(await verify(BY_DIGEST)).toEqual(
      rejected({ code: 'signature-for-other-image', signed: other }, 3),
    );
  });

  it('where a stranger signed it', async () => {
    const { verify, key } = await withSignatures(({ stranger }) => [sign(stranger, PILOT, digest)]);
    expect(await verify(BY_DIGEST)).toEqual(
      rejected({ code: 'signer-untrusted', detail: `no key of the key ring made it (${key.keyId})` }),
    );
  });

  it('where a bit of the signature is another', async () => {
    const { verify } = await withSignatures(({ signer }) => [
      sign(signer, PILOT, digest, { spoil: 'flipped-bit' }),
    ]);
    expect(wordOf(await verify(BY_DIGEST))).toBe('signer-untrusted');
  });

  it("where the key comes with the signature, in cosign's annotations", async () => {
    const { verify } = await withSignatures(({ stranger }) => [
      sign(stranger, PILOT, digest, {
        annotations: {
          'dev.sigstore.cosign/certificate': stranger.publicPem,
          'dev.sigstore.cosign/chain': '',
        },
      }),
    ]);
    expect(wordOf(await verify(BY_DIGEST))).toBe('signer-untrusted');
  });

  it.each([
    [
      'an index',
      imageIndex('no signature').bytes,
      'application/vnd.oci.image.index.v1+json',
      'the signature tag does not point to an image manifest',
    ],
    [
      'an image manifest by its header alone',
      Buffer.from('{"mediaType":"text/plain","layers":[]}'),
      'application/vnd.oci.image.manifest.v1+json',
      'the signature tag does not point to an image manifest',
    ],
    [
      'a manifest whose layers are no list',
      Buffer.from('{"layers":{}}'),
      'application/vnd.oci.image.manifest.v1+json',
      'the signature tag does not point to an image manifest',
    ],
    [
      'no JSON',
      Buffer.from('<html>'),
      'application/vnd.oci.image.manifest.v1+json',
      'the signature manifest cannot be read: it is not JSON in UTF-8',
    ],
    [
      'a manifest with a key twice',
      Buffer.from('{"layers":[],"layers":[]}'),
      'application/vnd.oci.image.manifest.v1+json',
      'the signature manifest cannot be read: the key "layers" occurs twice',
    ],
  ])('where %s stands under its signature tag', async (_, bytes, mediaType, detail) => {
    const harness = await createHarness();
    harness.store.pushManifest(PILOT, signatureTag(digest), bytes, mediaType);
    expect(await harness.verify(BY_DIGEST)).toEqual(rejected(invalid(detail)));
  });

  it.each(['{}', '{"layers":null}', '{"layers":[]}'])(
    'as unsigned where %s stands under its signature tag: no layer, as cosign reads it',
    async (text) => {
      const harness = await createHarness();
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      harness.store.pushManifest(PILOT, signatureTag(digest), Buffer.from(text), mediaType);
      expect(await harness.verify(BY_DIGEST)).toEqual(rejected({ code: 'signature-missing' }));
    },
  );

  it.each(['1', '"x"', '[1]', 'false'])(
    'where the "optional" of its signed payload is %s',
    async (optional) => {
      const payload = Buffer.from(
        simpleSigningPayload('index.docker.io/istio/pilot', digest)
          .toString()
          .replace('"optional":null', `"optional":${optional}`),
      );
      const { verify } = await withSignatures(({ signer }) => [sign(signer, PILOT, digest, { payload })]);
      expect(await verify(BY_DIGEST)).toEqual(
        rejected(invalid('the "optional" of the signed payload is not an object'), 3),
      );
    },
  );

  it('where the layers are things that no layer is', async () => {
    const harness = await createHarness();
    const layers = [null, 1, 'x', [], {}, { mediaType: 1 }, { __proto__: null }];
    const bytes = Buffer.from(JSON.stringify({ layers }));
    harness.store.pushManifest(
      PILOT,
      signatureTag(digest),
      bytes,
      'application/vnd.oci.image.manifest.v1+json',
    );
    expect(await harness.verify(BY_DIGEST)).toEqual(rejected({ code: 'signature-missing' }));
  });

  it('where the signed payload names no repository', async () => {
    const payload = Buffer.from(
      simpleSigningPayload('x', digest).toString().replace('{"docker-reference":"x"}', '{}'),
    );
    const { verify } = await withSignatures(({ signer }) => [sign(signer, PILOT, digest, { payload })]);
    expect(await verify(BY_DIGEST)).toEqual(
      rejected(invalid('the signed payload has no "docker-reference"'), 3),
    );
  });

  it('where the payload is declared too large, without asking for it', async () => {
    const { verify, store } = await withSignatures(({ signer }) => [
      { ...sign(signer, PILOT, digest), declaredSize: 129 * 1024 * 1024 },
    ]);
    expect(await verify(BY_DIGEST)).toEqual(
      rejected(invalid('the signed payload is declared larger than 65536 bytes')),
    );
    expect(store.requests).toEqual(DIGEST_REQUESTS);
  });

  it('where the payload is not as long as declared', async () => {
    const { verify } = await withSignatures(({ signer }) => [
      { ...sign(signer, PILOT, digest), declaredSize: 3 },
    ]);
    expect(await verify(BY_DIGEST)).toEqual(
      rejected(invalid('the signed payload does not have its declared size')),
    );
  });

  it('where the payload is not there', async () => {
    const { verify } = await withSignatures(({ signer }) => [
      { ...sign(signer, PILOT, digest), declaredDigest: `sha256:${'0'.repeat(64)}` },
    ]);
    expect(await verify(BY_DIGEST)).toEqual(rejected(invalid('the signed payload was not found'), 3));
  });

  it('where none of the first 100 candidates is valid and more are left', async () => {
    const { verify } = await withSignatures(({ signer, stranger }) => [
      ...Array.from({ length: 100 }, () => sign(stranger, PILOT, digest)),
      sign(signer, PILOT, digest),
    ]);
    expect(await verify(BY_DIGEST)).toEqual(rejected({ code: 'too-many-signatures', tried: 100 }));
  });

  it('where more layers stand there than cosign reads, though the first is valid', async () => {
    const { verify } = await withSignatures(({ signer }) => {
      const good = sign(signer, PILOT, digest);
      return Array.from({ length: 1001 }, () => good);
    });
    expect(await verify(BY_DIGEST)).toEqual(
      rejected(invalid('the signature manifest has 1001 layers; cosign reads at most 1000')),
    );
  });

  it('with the gravest reason, where several candidates fail in several ways', async () => {
    const other = imageManifest('another image').digest;
    const broken = (signer: Harness['signer']) => sign(signer, PILOT, digest, { spoil: 'bad-base64' });
    const strange = await withSignatures(({ signer, stranger }) => [
      broken(signer),
      sign(stranger, PILOT, digest),
    ]);
    expect(wordOf(await strange.verify(BY_DIGEST))).toBe('signer-untrusted');
    const borrowed = await withSignatures(({ signer, stranger }) => [
      broken(signer),
      sign(stranger, PILOT, digest),
      sign(signer, PILOT, other),
    ]);
    expect(wordOf(await borrowed.verify(BY_DIGEST))).toBe('signature-for-other-image');
  });
});

describe('an image stays undetermined', () => {
  it.each([
    ['unavailable', 'registry-unavailable'],
    ['backend-unavailable', 'registry-backend-unavailable'],
    ['refused', 'registry-refused'],
    ['rate-limited', 'registry-rate-limited'],
    ['answer-invalid', 'registry-answer-invalid'],
  ] as const)('where the registry is %s', async (fault, code) => {
    const { verify, store } = await withSignatures(({ signer }) => [sign(signer, PILOT, digest)]);
    store.failWith(fault);
    const detail = `${PILOT} referrers ${digest}: ${fault}`;
    expect(await verify(BY_DIGEST)).toEqual(undetermined({ code, detail }));
  });

  it('where a payload could not be read and nothing else is valid', async () => {
    const { verify, store } = await withSignatures(({ signer, stranger }) => [
      sign(stranger, PILOT, digest),
      sign(signer, 'elsewhere.example/x', digest),
    ]);
    store.failWhere(/ blob /, 'unavailable');
    expect(wordOf(await verify(BY_DIGEST))).toBe('registry-unavailable');
  });

  it('where the registry serves another payload than it names', async () => {
    const payload = simpleSigningPayload('elsewhere.example/x', digest);
    const { verify, store, signer } = await withSignatures(({ signer: by }) => [
      sign(by, PILOT, digest, { payload }),
    ]);
    const other = sign(signer, 'elsewhere.example/y', digest).payload;
    store.replaceBlob(
      PILOT,
      signatureManifest([sign(signer, PILOT, digest, { payload })]).blobs[1]?.digest ?? '',
      other,
    );
    expect(await verify(BY_DIGEST)).toEqual(
      undetermined({ code: 'registry-answer-invalid', detail: `${PILOT} served other bytes` }, 3),
    );
  });

  it('where an unknown key signed it while a key of the configuration is missing', async () => {
    const harness = await withSignatures(({ stranger }) => [sign(stranger, PILOT, digest)]);
    harness.ring = ringOf([harness.key], [{ source: 'https://example.com/key.pub', problem: 'unreachable' }]);
    expect(await harness.verify(BY_DIGEST)).toEqual(
      undetermined({ code: 'key-ring-incomplete', missing: ['https://example.com/key.pub'] }),
    );
  });

  it.each([
    [
      'is not for this image',
      (h: Harness) => sign(h.stranger, PILOT, imageManifest('other').digest),
      'signer-untrusted',
    ],
    ['is broken', (h: Harness) => sign(h.stranger, PILOT, digest, { spoil: 'p1363' }), 'signature-invalid'],
  ])('but not where what an unknown key signed %s: no key could make it count', async (_, make, word) => {
    const harness = await withSignatures((h) => [make(h)]);
    harness.ring = ringOf([harness.key], [{ source: 'a key', problem: 'unreachable' }]);
    expect(wordOf(await harness.verify(BY_DIGEST))).toBe(word);
  });

  it('where time was up before anything was asked', async () => {
    const { verify, store } = await withSignatures(({ signer }) => [sign(signer, PILOT, digest)]);
    expect(await verify(BY_DIGEST, {}, AbortSignal.abort())).toEqual(
      undetermined({ code: 'deadline-exceeded', asked: false }, 0),
    );
    expect(store.requests).toEqual([]);
  });

  it('with an incident, where something throws that nobody expected', async () => {
    const surprise = new TypeError('surprise');
    const { key } = await createHarness();
    const reports: unknown[] = [];
    const { verify } = createVerifier({
      open: () => ({
        id: PILOT,
        resolve: () => Promise.reject(surprise),
        manifest: () => Promise.reject(surprise),
        blob: () => Promise.reject(surprise),
        referrers: () => Promise.reject(surprise),
      }),
      ring: () => ringOf([key]),
      limits: LIMITS,
      tagMemory: 0,
      now: () => 0,
      report: (error) => `incident-${reports.push(error)}`,
    });
    expect(await verify(requestFor(BY_DIGEST), FOREVER)).toEqual(
      undetermined({ code: 'internal-error', incident: 'incident-1' }, 0),
    );
    expect(await verify(requestFor(`${PILOT}:1`), FOREVER)).toEqual({
      ...undetermined({ code: 'internal-error', incident: 'incident-2' }, 0),
      digest: undefined,
    });
    expect(reports).toEqual([surprise, surprise]);
  });

  it('even where opening the source or the report itself throws', async () => {
    const { key } = await createHarness();
    const { verify } = createVerifier({
      open: () => {
        throw new Error('no source');
      },
      ring: () => ringOf([key]),
      limits: LIMITS,
      tagMemory: 0,
      now: () => 0,
      report: () => {
        throw new Error('no report');
      },
    });
    expect(await verify(requestFor(BY_DIGEST), FOREVER)).toMatchObject({
      outcome: 'undetermined',
      reason: { code: 'internal-error', incident: 'unreported' },
    });
  });
});

describe('an image is verified', () => {
  it('by one look where the payload can be rebuilt, with what was signed', async () => {
    const harness = await withSignatures(({ signer }) => [
      sign(signer, PILOT, digest, { annotations: { 'dev.sigstore.cosign/bundle': '{"log":1}' } }),
    ]);
    expect(await harness.verify(BY_DIGEST)).toEqual({
      outcome: 'verified',
      digest,
      signatures: [
        {
          keyId: harness.key.keyId,
          format: 'simple-signing',
          signedReference: 'index.docker.io/istio/pilot',
          payload: simpleSigningPayload('index.docker.io/istio/pilot', digest).toString(),
          logBundle: '{"log":1}',
          logged: undefined,
        },
      ],
      componentProven: true,
      requests: 2,
      fromMemory: false,
    });
    expect(harness.store.requests).toEqual(DIGEST_REQUESTS);
  });

  it('without the log bundle where that is too large to be one: it is unverified, and kept', async () => {
    const { verify } = await withSignatures(({ signer }) => [
      sign(signer, PILOT, digest, {
        annotations: { 'dev.sigstore.cosign/bundle': 'x'.repeat(64 * 1024 + 1) },
      }),
    ]);
    expect(await verify(BY_DIGEST)).toMatchObject({
      outcome: 'verified',
      signatures: [{ logBundle: undefined }],
    });
  });

  it('by one request more where the payload is another text, as annotations make it', async () => {
    const payload = simpleSigningPayload('index.docker.io/istio/pilot', digest, {
      optional: { rel: '1.28' },
    });
    const { verify } = await withSignatures(({ signer }) => [sign(signer, PILOT, digest, { payload })]);
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 3 });
  });

  it('by one look on a mirror too, whose signatures were copied from the hub', async () => {
    const harness = await createHarness({ hubs: [HUB] });
    pushSignatures(harness.store, 'mirror.example/istio/pilot', digest, [
      sign(harness.signer, PILOT, digest),
    ]);
    expect(await harness.verify(`mirror.example/istio/pilot@${digest}`)).toMatchObject({
      outcome: 'verified',
      requests: 2,
    });
  });

  it('by one request more where a tag is asked for', async () => {
    const { verify, store } = await withSignatures(({ signer }) => [sign(signer, PILOT, digest)]);
    expect(await verify(`${PILOT}:1.28.0`)).toMatchObject({ outcome: 'verified', digest, requests: 3 });
    expect(store.requests).toEqual([`${PILOT} resolve 1.28.0`, ...DIGEST_REQUESTS]);
  });

  it('by its digest alone where a tag stands beside it', async () => {
    const { verify, store } = await withSignatures(({ signer }) => [sign(signer, PILOT, digest)]);
    expect(wordOf(await verify(`${PILOT}:no-such-tag@${digest}`))).toBe('verified');
    expect(store.requests).toEqual(DIGEST_REQUESTS);
  });

  it.each([
    ['a Docker manifest', { docker: true }],
    ['an OCI manifest', {}],
  ])('from %s', async (_, options) => {
    const { store, verify, signer } = await createHarness();
    push(store, PILOT, signatureManifest([sign(signer, PILOT, digest)], options), signatureTag(digest));
    expect(wordOf(await verify(BY_DIGEST))).toBe('verified');
  });

  it('by its index, and each child by itself', async () => {
    const { store, verify, signer } = await createHarness();
    const index = imageIndex('pilot 1.29.0');
    push(store, PILOT, index, '1.29.0');
    pushSignatures(store, PILOT, index.digest, [sign(signer, PILOT, index.digest)]);
    expect(wordOf(await verify(`${PILOT}:1.29.0`))).toBe('verified');
    expect(wordOf(await verify(`${PILOT}@${index.children[0]?.digest}`))).toBe('signature-missing');
  });

  it('whatever broken and foreign signatures stand around a valid one', async () => {
    const spoils = [
      'bad-base64',
      'other-digest',
      'not-json',
      'foreign-media-type',
      'no-annotation',
      'p1363',
    ] as const;
    const { verify, key } = await withSignatures(({ signer, stranger }) => [
      ...spoils.map((spoil) => sign(signer, PILOT, digest, { spoil })),
      sign(stranger, PILOT, digest),
      sign(signer, PILOT, digest),
      ...spoils.map((spoil) => sign(stranger, PILOT, digest, { spoil })),
    ]);
    const verdict = await verify(BY_DIGEST);
    expect(verdict.outcome === 'verified' && verdict.signatures.map(({ keyId }) => keyId)).toEqual([
      key.keyId,
    ]);
  });

  it('with every valid signature by any key, though they share one layer digest, and reads that once', async () => {
    const payload = simpleSigningPayload('index.docker.io/istio/pilot', digest, { optional: { a: 'b' } });
    const others = [createSigner(), createSigner()];
    const harness = await withSignatures(({ signer }) =>
      [signer, ...others].map((by) => sign(by, PILOT, digest, { payload })),
    );
    const keys = [harness.key, ...(await Promise.all(others.map((by) => trust(by))))];
    harness.ring = ringOf(keys);
    const verdict = await harness.verify(BY_DIGEST);
    expect(verdict).toMatchObject({ outcome: 'verified', requests: 3 });
    expect(verdict.outcome === 'verified' && verdict.signatures.map(({ keyId }) => keyId)).toEqual(
      keys.map(({ keyId }) => keyId),
    );
  });

  it('while a key of the configuration is missing, if a loaded one made the signature', async () => {
    const harness = await withSignatures(({ signer, stranger }) => [
      sign(stranger, PILOT, digest),
      sign(signer, PILOT, digest),
    ]);
    harness.ring = ringOf([harness.key], [{ source: 'a key', problem: 'unreachable' }]);
    expect(wordOf(await harness.verify(BY_DIGEST))).toBe('verified');
  });

  it('though another signature could not be read', async () => {
    const { verify, store } = await withSignatures(({ signer }) => [
      sign(signer, 'elsewhere.example/x', digest),
      sign(signer, PILOT, digest),
    ]);
    store.failWhere(/ blob /, 'unavailable');
    expect(wordOf(await verify(BY_DIGEST))).toBe('verified');
  });

  it('with line feeds in the signature, as real ones have them', async () => {
    const { verify } = await withSignatures(({ signer }) => {
      const layer = sign(signer, PILOT, digest);
      const [[name, text] = ['', '']] = Object.entries(layer.annotations);
      return [{ ...layer, annotations: { [name]: `${text.slice(0, 64)}\r\n${text.slice(64)}\n` } }];
    });
    expect(wordOf(await verify(BY_DIGEST))).toBe('verified');
  });
});
