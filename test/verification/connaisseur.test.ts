import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/image/index.ts';
import { createVerifier, parseKeys } from '../../src/verification/index.ts';
import { signatureTag } from '../support/signing-kit.ts';
import { thirdPartyPath, withThirdParty } from '../support/third-party.ts';
import { FOREVER, LIMITS, requestFor, ringOf, wordOf } from './harness.ts';
import { createStore } from './store.ts';

const FOLDER = ['connaisseur', 'cosign', 'securesystemsengineering', 'testimage'] as const;
const REPOSITORY = 'docker.io/securesystemsengineering/testimage';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const BLOBS = [
  '7248e52a7da336ff63192f2c0a8f12562b0d5368e9cde6ab292cbb4604074f28',
  '897d9e862b4599b723442f36ed7b4cfd1628bb7656643c56855988cac161d065',
  'd8ee807d96efe7441b132967ad94eaffbc0172a763e69f2cd8df8f583f0ba0d4',
];

/** Signatures that others made years ago, as Docker Hub served them to others. */
withThirdParty<unknown>([...FOLDER, 'manifests', 'multi-cosigned-alice.json'], () => {
  const read = (...parts: readonly string[]) => readFileSync(thirdPartyPath(...parts));
  const store = createStore();
  const digestOfImage = (name: string) => digestOf(read(...FOLDER, 'manifests', `${name}.json`));
  for (const name of ['multi-cosigned-alice', 'multi-cosigned-alice-bob-charlie', 'keyless']) {
    const tag = signatureTag(digestOfImage(name));
    store.pushManifest(REPOSITORY, tag, read(...FOLDER, 'manifests', `${tag}.json`), MANIFEST);
  }
  for (const hex of BLOBS) store.pushBlob(REPOSITORY, read(...FOLDER, 'blobs', `sha256:${hex}.json`));

  const verifyWith = async (keys: readonly string[], image: string) => {
    const texts = keys.map((key) => read('connaisseur', 'cosign', `${key}.key`).toString());
    const parsed = await Promise.all(texts.map((text) => parseKeys(text)));
    const trusted = parsed.flatMap((result) => (result.ok ? result.keys : []));
    const ring = ringOf(
      trusted.map((key) => ({ ...key, source: 'theirs', pinned: true, for: undefined, covers: undefined })),
    );
    const { verify } = createVerifier({
      open: store.open,
      ring: () => ring,
      limits: LIMITS,
      tagMemory: 0,
      now: () => 0,
      report: String,
    });
    return verify(requestFor(`${REPOSITORY}@${digestOfImage(image)}`), FOREVER);
  };

  describe('signatures recorded by Connaisseur', () => {
    it.each([
      [['alice'], 'multi-cosigned-alice', 'verified'],
      [['bob'], 'multi-cosigned-alice', 'signer-untrusted'],
      [['charlie', 'bob'], 'multi-cosigned-alice', 'signer-untrusted'],
      [['alice'], 'multi-cosigned-alice-bob-charlie', 'verified'],
      [['bob'], 'multi-cosigned-alice-bob-charlie', 'verified'],
      [['charlie'], 'multi-cosigned-alice-bob-charlie', 'verified'],
      [['alice'], 'keyless', 'signer-untrusted'],
    ])('%s, %s: %s', async (keys, image, word) => {
      expect(wordOf(await verifyWith(keys, image))).toBe(word);
    });

    it('are all found where all three keys are trusted, though they share one payload', async () => {
      const verdict = await verifyWith(['alice', 'bob', 'charlie'], 'multi-cosigned-alice-bob-charlie');
      expect(verdict.outcome === 'verified' && verdict.signatures).toHaveLength(3);
    });
  });
});
