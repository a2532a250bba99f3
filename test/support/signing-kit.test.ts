import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixturePath, readFixture } from './fixtures.ts';
import { SIMPLE_SIGNING, signatureManifest, signatureTag, simpleSigningPayload } from './signing-kit.ts';

interface Vector {
  readonly tags: Readonly<Record<string, string>>;
}

const DIGEST = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
const served = (digest: string) =>
  readFileSync(fixturePath('cosign/referrers/s01-legacy-notlog/blobs', digest.replace(':', '-')));

describe('the signing kit, beside what cosign 2.5.0 pushed', () => {
  const { tags } = readFixture<Vector>('cosign/referrers/s01-legacy-notlog/index.json');
  const cosigns = served(tags[signatureTag(DIGEST)] ?? 'sha256:none');
  const document = JSON.parse(cosigns.toString('utf8'));

  it('writes the payload byte for byte', () => {
    const payload = simpleSigningPayload('localhost:5001/s01-legacy-notlog', DIGEST);
    expect(payload).toEqual(served(document.layers[0].digest));
  });

  it('writes the signature manifest and its config byte for byte', () => {
    const ours = signatureManifest([
      {
        payload: simpleSigningPayload('localhost:5001/s01-legacy-notlog', DIGEST),
        mediaType: SIMPLE_SIGNING,
        annotations: document.layers[0].annotations,
      },
    ]);
    expect(ours.bytes.toString()).toBe(cosigns.toString());
    expect(ours.blobs[0]?.bytes).toEqual(served(document.config.digest));
  });
});
