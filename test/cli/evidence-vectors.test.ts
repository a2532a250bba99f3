import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createLayoutOnDisk, layoutOfVector } from '../support/layout.ts';
import { fixturePath, readFixture } from '../support/shared.ts';
import { runCli } from '../support/terminal.ts';

/*
 * Every vector that real cosign made, through an OCI image layout, each in a directory and a process's worth of memory
 * of its own. No registry is named that anybody could answer for.
 */

const IMAGE = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
const KEY = fixturePath('cosign/keys/cosign.pub');
const ROOT = fixturePath('cosign/keys/trusted_root.json');

type Log = 'ignore' | 'require';
const expected = readFixture<Readonly<Record<string, Readonly<Record<Log, 'accept' | 'reject' | 'either'>>>>>(
  'cosign',
  'expected.json',
);
const cases = Object.keys(expected).flatMap((vector) => [
  { vector, log: 'ignore' as const },
  { vector, log: 'require' as const },
]);

/** `reject` is met by *rejected*, or by evidence that is no answer. */
const WANTED = {
  accept: /^verified$/,
  reject: /^(?:rejected|undetermined registry-answer-invalid)/,
  either: /./,
} as const;

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
    expect(cases.length).toBe(188);
  });

  it.each(cases)('reaches the verdict on $vector, log: $log, from a layout', async ({ vector, log }) => {
    const { directory } = layoutOfVector(vector);
    const argv = [
      '--offline',
      '--evidence',
      directory,
      ...(log === 'ignore' ? [] : ['--transparency-log', log, '--trusted-root', ROOT]),
    ];
    const [verdict] = await verdictsOf(...argv, `registry.invalid/${vector.split('/').at(-1)}@${IMAGE}`);
    const { outcome = '', reason = null, requests } = verdict ?? {};
    expect([outcome, reason].filter((part) => part !== null).join(' ')).toMatch(
      WANTED[expected[vector]?.[log] ?? 'either'],
    );
    expect(requests).toBe(0);
  });
});

describe('verify --local-image', () => {
  /** A vector as `cosign save` of version 3 writes it: the image is marked, its bundles lie there and no index names them. */
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
