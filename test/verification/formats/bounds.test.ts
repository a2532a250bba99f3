import { describe, expect, it } from 'vitest';
import type { Verification } from '../../../src/verification/index.ts';
import { BUNDLE_TYPE, bundleManifest, bundleOf, pushBundle } from '../../support/bundle-kit.ts';
import {
  artifactOf,
  blobOf,
  imageManifest,
  push,
  pushSignatures,
  sign,
  signatureTag,
  simpleSigningPayload,
} from '../../support/signing-kit.ts';
import { createHarness, type Harness, LIMITS, wordOf } from '../harness.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const PILOT = 'docker.io/istio/pilot';
const { digest } = imageManifest('pilot 1.29.0');
const BY_DIGEST = `${PILOT}@${digest}`;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

type Push = (harness: Harness) => unknown;

const verifyAfter = async (
  limits: Partial<typeof LIMITS>,
  ...pushes: readonly Push[]
): Promise<Verification & { readonly requestLines: readonly string[] }> => {
  const harness = await createHarness({ limits: { ...LIMITS, ...limits } });
  for (const each of pushes) each(harness);
  return { ...(await harness.verify(BY_DIGEST)), requestLines: harness.store.requests };
};
const wordAfter = async (limits: Partial<typeof LIMITS>, ...pushes: readonly Push[]): Promise<string> =>
  wordOf(await verifyAfter(limits, ...pushes));

const genuine: Push = ({ store, signer }) => pushBundle(store, PILOT, digest, bundleOf(signer, digest));

/** A referrer whose manifest is of so many bytes. */
const manifestOf = (bytes: number, seed = 0): Push => {
  const document = (padding: string) => ({
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: BUNDLE_TYPE,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', size: 2, digest: blobOf('{}').digest },
    layers: [],
    subject: { mediaType: MANIFEST, size: 1, digest },
    annotations: { padding: `${seed} ${padding}` },
  });
  const { length } = artifactOf(MANIFEST, document(''), []).bytes;
  return ({ store }) => push(store, PILOT, artifactOf(MANIFEST, document('x'.repeat(bytes - length)), []));
};

/** A stranger's bundle of so many bytes: its log entries are its padding. */
const strangeBundle =
  (bytes: number, seed: number): Push =>
  ({ store, stranger }) => {
    const { length } = bundleOf(stranger, digest, { entries: [{ seed, padding: '' }] });
    const entries = [{ seed, padding: 'x'.repeat(bytes - length) }];
    pushBundle(store, PILOT, digest, bundleOf(stranger, digest, { entries }), { created: `${seed}` });
  };

const many =
  (count: number, make: (seed: number) => Push): Push =>
  (harness) => {
    for (let seed = 0; seed < count; seed += 1) make(seed)(harness);
  };

describe('the manifest of a referrer', () => {
  it('that is longer than referrerBytes is none of a bundle, and hides none', async () => {
    expect(await wordAfter({}, manifestOf(64 * KIB + 1))).toBe('signature-missing');
    expect(
      await wordAfter(
        {},
        many(99, (seed) => manifestOf(65 * KIB, seed)),
        genuine,
      ),
    ).toBe('verified');
  });

  it('of a bundle counts up to that length', async () => {
    const withBundle: Push = ({ store, signer }) => {
      const { bytes } = bundleManifest(bundleOf(signer, digest), digest);
      pushBundle(store, PILOT, digest, bundleOf(signer, digest), {
        created: 'x'.repeat(64 * KIB - bytes.length + '2026-11-22T09:00:07Z'.length),
      });
    };
    expect(await wordAfter({}, withBundle)).toBe('verified');
  });
});

describe('the manifest under the signature tag', () => {
  const signedBeside =
    (bytes: number): Push =>
    ({ store, signer }) => {
      const layer = sign(signer, PILOT, digest);
      const spare = bytes - 1000;
      pushSignatures(store, PILOT, digest, [
        layer,
        { ...layer, annotations: { ...layer.annotations, chain: 'x'.repeat(spare) } },
      ]);
    };

  it('that is longer than signatureManifestBytes holds too many signatures', async () => {
    const { requestLines, ...verdict } = await verifyAfter({}, signedBeside(MIB + 2000));
    expect(verdict).toMatchObject({ reason: { code: 'too-many-signatures', tried: 0 } });
    expect(requestLines).toContain(`${PILOT} manifest ${signatureTag(digest)}`);
    expect(await wordAfter({}, signedBeside(MIB + 2000), genuine)).toBe('verified');
  });

  it('may be long: certificate chains lie in it', async () => {
    expect(await wordAfter({}, signedBeside(MIB - 1000))).toBe('verified');
  });
});

describe('the bytes of all candidates', () => {
  const limits = { signatureBytes: MIB };
  const bundles = (count: number): Push => many(count, (seed) => strangeBundle(100 * KIB, seed));

  it('are read to signatureBytes, in the order of the list, and the rest is told', async () => {
    const verdict = await verifyAfter(limits, bundles(20));
    expect(verdict).toMatchObject({ reason: { code: 'too-many-signatures', tried: 10 } });
    expect(verdict.requestLines.filter((line) => line.includes('blob'))).toHaveLength(10);
  });

  it('suffice for a genuine bundle that is listed before they end, and for none after', async () => {
    expect(await wordAfter(limits, bundles(10), genuine)).toBe('verified');
    expect(await wordAfter(limits, bundles(11), genuine)).toBe('too-many-signatures');
    expect(await wordAfter(limits, genuine, bundles(20))).toBe('verified');
  });

  it('count in each format: a flood of bundles leaves the signature under the tag', async () => {
    const underTag: Push = ({ store, signer }) =>
      pushSignatures(store, PILOT, digest, [sign(signer, PILOT, digest)]);
    expect(await wordAfter(limits, bundles(20), underTag)).toBe('verified');
  });

  it('count for payloads under the tag, those shared or rebuilt for nothing', async () => {
    const padded = (padding: string) => {
      const text = simpleSigningPayload(PILOT, digest).toString();
      return Buffer.from(text.replace('"optional":null', `"optional":{"a":"${padding}"}`));
    };
    const underTag =
      (paddings: readonly string[]): Push =>
      ({ store, signer, stranger }) =>
        pushSignatures(store, PILOT, digest, [
          ...paddings.map((padding) => sign(stranger, PILOT, digest, { payload: padded(padding) })),
          sign(signer, PILOT, digest),
        ]);
    const different = Array.from({ length: 60 }, (_, at) => `${at}`.padEnd(30 * KIB, 'x'));
    const same = different.map(() => 'x'.repeat(30 * KIB));
    expect(await wordAfter(limits, underTag(different))).toBe('too-many-signatures');
    expect(await wordAfter(limits, underTag(same))).toBe('verified');
  });

  it('cannot be earned back by a size that is declared negative', async () => {
    const negative = many(
      7,
      (seed) =>
        ({ store, stranger }) =>
          pushBundle(store, PILOT, digest, bundleOf(stranger, digest), {
            declaredSize: -100 * MIB,
            created: `${seed}`,
          }),
    );
    const verdict = await verifyAfter(limits, negative, bundles(20));
    expect(verdict).toMatchObject({ reason: { code: 'too-many-signatures' } });
    expect(verdict.requestLines.length).toBeLessThan(60);
  });
});

describe('a signature annotation', () => {
  it('that is longer than any signature is none, without being decoded', async () => {
    const long: Push = ({ store, signer }) => {
      const layer = sign(signer, PILOT, digest);
      const annotations = { 'dev.cosignproject.cosign/signature': `${'\n'.repeat(2000)}TUVZQ0lR` };
      pushSignatures(store, PILOT, digest, [{ ...layer, annotations }]);
    };
    expect(await wordAfter({}, long)).toBe('signature-invalid');
  });
});

describe('an abort', () => {
  it('ends the reading between candidates, and the verdict is that time was up', async () => {
    const harness = await createHarness({ limits: { ...LIMITS, flightDeadline: 1000 } });
    many(100, (seed) => strangeBundle(KIB, seed))(harness);
    harness.store.hangWhere(/blob/);
    expect(wordOf(await harness.verify(BY_DIGEST))).toBe('deadline-exceeded');
    expect(harness.store.requests.length).toBeLessThan(30);
  });
});
