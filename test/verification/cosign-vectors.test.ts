import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createVerifier, parseKeys, type Verification } from '../../src/verification/index.ts';
import { startRegistry } from '../support/registry-server.ts';
import { fixturePath, readFixture } from '../support/shared.ts';
import { ask, FOREVER, LIMITS, ringOf, wordOf } from './harness.ts';
import { registriesOf } from './http.ts';

type Expected = Readonly<Record<string, { readonly ignore: 'accept' | 'reject' | 'either' }>>;

const DIGEST = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
const SIGNATURE_TAG = `${DIGEST.replace(':', '-')}.sig`;
/** A rejection is also met by bytes that are not what was declared; nothing may be met by a failure of ours. */
const WORDS = {
  accept: /^verified$/,
  reject: /^(?!verified|internal-error|registry-(?!answer-invalid)|deadline)/,
  either: /^(?!internal-error)/,
};

const expected = readFixture<Expected>('cosign/expected.json');
const names = Object.keys(expected);
const hasSignatureTag = (name: string) =>
  Object.hasOwn(
    readFixture<{ readonly tags: Readonly<Record<string, string>> }>('cosign', name, 'index.json').tags,
    SIGNATURE_TAG,
  );

const registry = await startRegistry();
const registries = registriesOf(registry.host);
afterAll(async () => {
  await registries.close();
  await registry.close();
});

const parsed = await parseKeys(readFileSync(fixturePath('cosign/keys/cosign.pub'), 'utf8'));
const ring = ringOf(
  (parsed.ok ? parsed.keys : []).map((key) => ({
    ...key,
    source: 'cosign.pub',
    pinned: true,
    for: undefined,
    covers: undefined,
  })),
);

/** All vectors are of one digest, so each has a memory of its own. */
const verifyVector = (name: string): Promise<Verification> => {
  const repository = registry.loadVector(name);
  const verify = createVerifier({
    open: registries.open,
    ring: () => ring,
    limits: LIMITS,
    tagMemory: 0,
    now: Date.now,
    report: String,
  });
  return verify(ask(`${registry.host}/${repository}@${DIGEST}`), FOREVER);
};

describe('vectors of real cosign over HTTP, transparency log ignored', () => {
  it.each(names.filter(hasSignatureTag))('%s comes out as expected', async (name) => {
    expect(wordOf(await verifyVector(name))).toMatch(WORDS[expected[name]?.ignore ?? 'accept']);
  });

  it.each([
    ['n01-replayed-other-image', 'signature-for-other-image'],
    ['n02-wrong-key', 'signer-untrusted'],
    ['n19-signature-p1363-encoding', 'signature-invalid'],
    ['n24-critical-type-other', 'signature-invalid'],
    ['n30-layer-mediatype-foreign', 'signature-missing'],
    ['n32-1001-layers', 'signature-invalid'],
    ['n33-1000-layers-last-good', 'too-many-signatures'],
    ['n34-declared-size-129mib', 'signature-invalid'],
    ['n36-zero-layers', 'signature-missing'],
    ['n37-sig-tag-is-index', 'signature-invalid'],
  ])('%s is refused as %s', async (name, word) => {
    expect(wordOf(await verifyVector(`referrers/${name}`))).toBe(word);
  });

  // Bundles are not read yet: an image that has nothing else has no signature.
  it.each(names.filter((name) => !hasSignatureTag(name)))(
    '%s has no signature under its tag',
    async (name) => {
      expect(wordOf(await verifyVector(name))).toBe('signature-missing');
    },
  );
});
