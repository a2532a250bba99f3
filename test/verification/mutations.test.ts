import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../src/image/index.ts';
import { type Manifest, type Source, SourceFault } from '../../src/registry/index.ts';
import { parseReferrers } from '../../src/registry/referrers/parse-referrers.ts';
import { createVerifier, type KeyRing } from '../../src/verification/index.ts';
import { bundleManifest, bundleOf, fallbackTag, signStatement } from '../support/bundle-kit.ts';
import {
  type Artifact,
  createSigner,
  imageIndex,
  imageManifest,
  sign,
  signatureManifest,
  signatureTag,
} from '../support/signing-kit.ts';
import { FOREVER, LIMITS, requestFor, ringOf, trust, wordOf } from './harness.ts';

/*
 * An invariant of every byte: a mutation never makes anything verified for another digest or by another key, and for
 * the same digest and key only if the signed bytes and their binding are unchanged. `SAILMARK_RUNS` sets the number
 * of runs.
 */

const RUNS = Number(process.env['SAILMARK_RUNS'] ?? 300);
const PATIENCE = 30_000 + 30 * RUNS;
const PILOT = 'docker.io/istio/pilot';
const { digest } = imageManifest('the signed image');
const OTHER = imageManifest('another image').digest;
const [signer, stranger] = [createSigner(), createSigner()];
const [RING, STRANGE] = [ringOf([await trust(signer)]), ringOf([await trust(stranger)])];

const never = (): never => {
  throw new Error('a signature has a payload');
};

/** Everything that a registry serves, by name. Any other name does not exist. */
type Served = ReadonlyMap<string, Uint8Array>;

/**
 * A source that serves these bytes under these names, whatever they hash to now. The registry adapter refuses a body of
 * another digest; this source does not, so that the test does not depend on that.
 */
const sourceOf = (served: Served, hashed: boolean): Source => {
  const read = (name: string, wanted: Digest | undefined): Uint8Array | undefined => {
    const bytes = served.get(name);
    if (bytes !== undefined && hashed && wanted !== undefined && digestOf(bytes) !== wanted)
      throw new SourceFault('answer-invalid', `${name} is not what was asked for`, { asked: true });
    return bytes;
  };
  const manifest = (name: string, wanted: Digest | undefined): Manifest | undefined => {
    const bytes = read(name, wanted);
    return bytes && { digest: digestOf(bytes), mediaType: undefined, bytes };
  };
  return {
    id: PILOT,
    resolve: async () => undefined,
    manifest: async (at) => ('tag' in at ? manifest(at.tag, undefined) : manifest(at.digest, at.digest)),
    blob: async (wanted) => read(wanted, wanted),
    referrers: async (of) => {
      const index = read(fallbackTag(of), undefined);
      const descriptors = index === undefined ? [] : parseReferrers(index);
      if (descriptors === undefined) throw new SourceFault('answer-invalid', 'no index', { asked: true });
      return { descriptors, more: false };
    },
  };
};

const verifyWith = async (source: Source, of: Digest, ring: KeyRing) => {
  const thrown: unknown[] = [];
  const { verify } = createVerifier({
    open: () => source,
    ring: () => ring,
    // Each run creates its memories; small ones are created faster.
    limits: { ...LIMITS, rejectedEntries: 1, tagEntries: 1 },
    tagMemory: 0,
    now: () => 0,
    report: (error) => `incident-${thrown.push(error)}`,
  });
  const verdict = await verify(requestFor(`${PILOT}@${of}`), FOREVER);
  return { verdict, thrown };
};

/** The names under which each byte string of an artifact is served, for both digests alike. */
const serve = (
  artifact: Artifact,
  entries: readonly (readonly [string, Uint8Array])[],
): Map<string, Uint8Array> =>
  new Map([
    ...artifact.blobs.map((blob) => [blob.digest, blob.bytes] as const),
    [artifact.digest, artifact.bytes] as const,
    ...entries,
  ]);

const indexOf = (manifest: Artifact): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      manifests: [{ digest: manifest.digest, size: manifest.bytes.length }],
    }),
  );

// Signed with a name that cannot be guessed, so that the payload is read and not rebuilt.
const signatures = signatureManifest([sign(signer, 'elsewhere.example/x', digest)]);
const [, payload = never()] = signatures.blobs;
const bundle = bundleOf(signer, digest);
const bundles = bundleManifest(bundle, digest);

const SIMPLE = serve(
  signatures,
  [digest, OTHER].map((of) => [signatureTag(of), signatures.bytes]),
);
const BUNDLED = serve(
  bundles,
  [digest, OTHER].map((of) => [fallbackTag(of), indexOf(bundles)]),
);

/** The byte strings to mutate: the names under which each is served. */
const TARGETS: readonly (readonly [string, Served, readonly string[]])[] = [
  ['the signature manifest', SIMPLE, [digest, OTHER].map(signatureTag)],
  ['the signed payload', SIMPLE, [payload.digest]],
  ['the bundle', BUNDLED, [digestOf(bundle)]],
  ['the manifest of a bundle', BUNDLED, [bundles.digest]],
  ['the index of what refers to it', BUNDLED, [digest, OTHER].map(fallbackTag)],
];

type Mutation = (bytes: Uint8Array) => Buffer;
const at = (bytes: Uint8Array, place: number): number => place % bytes.length;
const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(
    ([place, change]): Mutation =>
      (bytes) => {
        const copy = Buffer.from(bytes);
        copy.writeUInt8(copy.readUInt8(at(copy, place)) ^ change, at(copy, place));
        return copy;
      },
  ),
  fc.nat().map(
    (place): Mutation =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, at(bytes, place)), bytes.subarray(at(bytes, place) + 1)]),
  ),
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(
    ([place, byte]): Mutation =>
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, at(bytes, place)),
          Buffer.of(byte),
          bytes.subarray(at(bytes, place)),
        ]),
  ),
  fc.nat().map(
    (place): Mutation =>
      (bytes) =>
        Buffer.from(bytes.subarray(0, at(bytes, place))),
  ),
  fc.tuple(fc.nat(), fc.nat(), fc.nat({ max: 40 })).map(
    ([from, to, length]): Mutation =>
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, at(bytes, to)),
          bytes.subarray(at(bytes, from), at(bytes, from) + length),
          bytes.subarray(at(bytes, to)),
        ]),
  ),
);

const mutated = (served: Served, names: readonly string[], mutate: Mutation): Served =>
  new Map([...served, ...names.map((name) => [name, mutate(served.get(name) ?? Buffer.of())] as const)]);

/** The signed bytes of verified images, as the memory stores them. */
const SIGNED = new Set([payload.bytes.toString(), signStatement(digest).toString()]);

describe('unmutated', () => {
  it.each([
    ['a signature', SIMPLE],
    ['a bundle', BUNDLED],
  ])('%s verifies, and neither for another digest nor by another key', async (_, served) => {
    const word = async (of: Digest, ring: KeyRing) =>
      wordOf((await verifyWith(sourceOf(served, true), of, ring)).verdict);
    expect([await word(digest, RING), await word(OTHER, RING), await word(digest, STRANGE)]).toEqual([
      'verified',
      'signature-for-other-image',
      'signer-untrusted',
    ]);
  });
});

describe.each(TARGETS)('a mutation of %s', (_name, served, names) => {
  it(
    'never verifies another digest, nor by another key',
    async () => {
      await fc.assert(
        fc.asyncProperty(mutations, fc.boolean(), async (mutate, hashed) => {
          const source = sourceOf(mutated(served, names, mutate), hashed);
          for (const [of, ring] of [
            [OTHER, RING],
            [digest, STRANGE],
            [OTHER, STRANGE],
          ] as const) {
            const { verdict, thrown } = await verifyWith(source, of, ring);
            expect(verdict.outcome).not.toBe('verified');
            expect(thrown).toEqual([]);
          }
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE,
  );

  it(
    'verifies the same digest by the same key only where what is signed is as it was',
    async () => {
      await fc.assert(
        fc.asyncProperty(mutations, fc.boolean(), async (mutate, hashed) => {
          const source = sourceOf(mutated(served, names, mutate), hashed);
          const { verdict, thrown } = await verifyWith(source, digest, RING);
          const signed = verdict.outcome === 'verified' ? verdict.signatures.map((each) => each.payload) : [];
          expect(signed.filter((text) => !SIGNED.has(text))).toEqual([]);
          expect(thrown).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE,
  );
});

describe('where a registry keeps to its digests, a mutation', () => {
  it.each([
    ['of the signed payload', SIMPLE, payload.digest],
    ['of a bundle', BUNDLED, digestOf(bundle)],
    ['of the manifest of a bundle', BUNDLED, bundles.digest],
  ] as const)(
    '%s never verifies',
    async (_name, served, name) => {
      await fc.assert(
        fc.asyncProperty(mutations, async (mutate) => {
          const changed = mutated(served, [name], mutate);
          fc.pre(digestOf(changed.get(name) ?? Buffer.of()) !== name);
          const { verdict } = await verifyWith(sourceOf(changed, true), digest, RING);
          expect(verdict.outcome).not.toBe('verified');
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE,
  );

  it(
    'of an index makes it another image, which nobody signed',
    async () => {
      const index = imageIndex('a signed index');
      const { bytes } = signatureManifest([sign(signer, PILOT, index.digest)]);
      await fc.assert(
        fc.asyncProperty(mutations, async (mutate) => {
          const other = digestOf(mutate(index.bytes));
          fc.pre(other !== index.digest);
          const served = new Map([index.digest, other].map((of) => [signatureTag(of), bytes]));
          const words = [index.digest, other].map(async (of) =>
            wordOf((await verifyWith(sourceOf(served, true), of, RING)).verdict),
          );
          // The payload is rebuilt for the signed digest, and does not exist for the other.
          expect(await Promise.all(words)).toEqual(['verified', 'signature-invalid']);
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE,
  );
});

describe('whatever is served', () => {
  const anything = fc.oneof(
    { arbitrary: fc.uint8Array(), weight: 1 },
    { arbitrary: fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))), weight: 2 },
    {
      arbitrary: fc
        .record({
          mediaType: fc.constantFrom(
            'application/vnd.oci.image.manifest.v1+json',
            'application/vnd.dev.sigstore.bundle.v0.3+json',
          ),
          layers: fc.array(
            fc.record(
              {
                mediaType: fc.constantFrom(
                  'application/vnd.dev.cosign.simplesigning.v1+json',
                  'application/vnd.dev.sigstore.bundle.v0.3+json',
                ),
                size: fc.oneof(fc.nat(), fc.double(), fc.jsonValue()),
                digest: fc.oneof(fc.constant(digestOf('a blob')), fc.jsonValue()),
                annotations: fc.oneof(
                  fc.jsonValue(),
                  fc.constant({ 'dev.cosignproject.cosign/signature': 'MAYCAQECAQE=' }),
                ),
              },
              { requiredKeys: ['mediaType'] },
            ),
          ),
          verificationMaterial: fc.oneof(fc.constant({ publicKey: {} }), fc.jsonValue()),
          dsseEnvelope: fc.oneof(
            fc.jsonValue(),
            fc.record({
              payloadType: fc.constant('application/vnd.in-toto+json'),
              payload: fc.oneof(fc.base64String(), fc.jsonValue()),
              signatures: fc.oneof(fc.jsonValue(), fc.constant([{ sig: 'MAYCAQECAQE=' }])),
            }),
          ),
        })
        .map((value) => Buffer.from(JSON.stringify(value))),
      weight: 4,
    },
  );

  it(
    'there is a verdict, it is not verified, and nothing is thrown',
    async () => {
      await fc.assert(
        fc.asyncProperty(anything, anything, async (manifest, blob) => {
          const source: Source = {
            id: PILOT,
            resolve: async () => undefined,
            manifest: async () => ({ digest: digestOf(manifest), mediaType: undefined, bytes: manifest }),
            blob: async () => blob,
            referrers: async () => ({
              descriptors: [{ digest: digestOf('x'), artifactType: undefined }],
              more: false,
            }),
          };
          const { verdict, thrown } = await verifyWith(source, digest, RING);
          expect(verdict.outcome).not.toBe('verified');
          expect(wordOf(verdict)).toMatch(/^sign/);
          expect(thrown).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE,
  );
});
