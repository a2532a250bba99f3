import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createVerifier, parseKeys, type Verification } from '../../src/verification/index.ts';
import { fixturePath, readFixture } from '../support/shared.ts';
import { ask, FOREVER, LIMITS, ringOf, wordOf } from './harness.ts';
import { createStore } from './store.ts';

interface Vector {
  readonly repository: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly file: string;
  }[];
  readonly blobs: readonly { readonly digest: string; readonly file: string }[];
}
type Expected = Readonly<Record<string, { readonly ignore: 'accept' | 'reject' | 'either' }>>;

const DIGEST = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
const SIGNATURE_TAG = `${DIGEST.replace(':', '-')}.sig`;
const expected = readFixture<Expected>('cosign/expected.json');

/** A rejection is also met by bytes that are not what was declared; nothing may be met by a failure of ours. */
const WORDS = {
  accept: /^verified$/,
  reject: /^(?!verified|internal-error|registry-(?!answer-invalid)|deadline)/,
  either: /^(?!internal-error)/,
};

const vectorOf = (name: string) => readFixture<Vector>('cosign', name, 'index.json');

const verifyVector = async (name: string): Promise<Verification> => {
  const vector = vectorOf(name);
  const store = createStore();
  const repository = `localhost:5001/${vector.repository}`;
  const read = (file: string) => readFileSync(fixturePath('cosign', name, file));
  for (const { file } of vector.blobs) store.pushBlob(repository, read(file));
  for (const { digest, mediaType, file } of vector.manifests) {
    const tags = Object.entries(vector.tags).filter(([, target]) => target === digest);
    for (const [tag] of [...tags, [undefined]]) store.pushManifest(repository, tag, read(file), mediaType);
  }
  const parsed = await parseKeys(readFileSync(fixturePath('cosign/keys/cosign.pub'), 'utf8'));
  if (!parsed.ok) throw new Error(parsed.problem);
  const keys = parsed.keys.map((key) => ({
    ...key,
    source: 'cosign.pub',
    pinned: true,
    for: undefined,
    covers: undefined,
  }));
  const ring = ringOf(keys);
  const verify = createVerifier({
    open: store.open,
    ring: () => ring,
    limits: LIMITS,
    tagMemory: 0,
    now: () => 0,
    report: (error) => {
      throw error;
    },
  });
  return verify(ask(`${repository}@${DIGEST}`), FOREVER);
};

const names = Object.keys(expected);
const hasSignatureTag = (name: string) => Object.hasOwn(vectorOf(name).tags, SIGNATURE_TAG);

describe('vectors of real cosign, transparency log ignored', () => {
  it.each(names.filter(hasSignatureTag))('%s comes out as expected', async (name) => {
    expect(wordOf(await verifyVector(name))).toMatch(WORDS[expected[name]?.ignore ?? 'accept']);
  });

  // Bundles are not read yet: an image that has nothing else has no signature.
  it.each(names.filter((name) => !hasSignatureTag(name)))(
    '%s has no signature under its tag',
    async (name) => {
      expect(wordOf(await verifyVector(name))).toBe('signature-missing');
    },
  );
});
