import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IMAGE, KEY, lineOf, logFlags, vectorCases } from '../support/cosign-vectors.ts';
import { fixturePath, readFixture } from '../support/fixtures.ts';
import { createLayoutOnDisk, layoutOfVector } from '../support/layout.ts';
import { runCli } from '../support/run-cli.ts';

/*
 * Every vector that real cosign made, through an OCI image layout, each with a directory and a memory of its own. No image
 * is on a registry that exists.
 */

interface Verdict {
  readonly outcome: string;
  readonly reason: string | null;
  readonly requests: number;
}

const verdictsOf = async (...argv: readonly string[]): Promise<readonly Verdict[]> => {
  const { stdout } = await runCli(['verify', '--output', 'json', '--key', KEY, ...argv]);
  return (JSON.parse(stdout) as { images: readonly Verdict[] }).images;
};

describe('verify --offline --evidence', () => {
  it('has 188 verdicts to reach', () => {
    expect(vectorCases.length).toBe(188);
  });

  it.each(vectorCases)(
    'reaches the verdict on $vector, log: $log, from a layout',
    async ({ vector, log, verdict }) => {
      const { directory } = layoutOfVector(vector);
      const image = `registry.invalid/${vector.split('/').at(-1)}@${IMAGE}`;
      const [actual] = await verdictsOf('--offline', '--evidence', directory, ...logFlags(log), image);
      expect(lineOf(actual as Verdict)).toMatch(verdict);
      expect(actual?.requests).toBe(0);
    },
  );
});

describe('verify --local-image', () => {
  /** A vector as `cosign save` of version 3 writes it: the index names the image, but not its bundles. */
  const savedByCosign = (vector: string): string => {
    const { blobs, manifests } = readFixture<
      Record<'blobs' | 'manifests', readonly { readonly file: string }[]>
    >('cosign', vector, 'index.json');
    const layout = createLayoutOnDisk();
    for (const { file } of [...blobs, ...manifests])
      layout.pushBlob('', readFileSync(fixturePath('cosign', vector, file)));
    const annotations = { kind: 'dev.cosignproject.cosign/image' };
    layout.describe({
      digest: IMAGE,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: 400,
      annotations,
    });
    return layout.directory;
  };

  it.each([
    ['referrers/b14-wrong-key', 'rejected', 'signer-untrusted'],
    ['referrers/b02-subject-other-image', 'rejected', 'signature-for-other-image'],
    ['referrers/s12-att-bundle-only', 'rejected', 'signature-missing'],
    ['referrers/s08-bundle-notlog', 'verified', null],
    ['referrers/s07-bundle-tlog', 'verified', null],
  ])('reads %s as cosign 3 saves it', async (vector, outcome, reason) => {
    const [verdict] = await verdictsOf('--local-image', savedByCosign(vector));
    expect(verdict).toMatchObject({ outcome, reason, requests: 0 });
  });
});
