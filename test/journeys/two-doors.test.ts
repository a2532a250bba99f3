import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/index.ts';
import { pod, review } from '../support/builders.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { fixturePath, readFixture } from '../support/shared.ts';
import { runCli } from '../support/terminal.ts';

/*
 * Every vector that real cosign made, through both doors, each with a memory of its own: all vectors are one image, so
 * the first accepted one would answer for the rest. Bundles are not read yet: what only they sign is rejected.
 */

interface Index {
  readonly repository: string;
  readonly tags: Readonly<Record<string, string>>;
}

const IMAGE = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
const KEY = fixturePath('cosign/keys/cosign.pub');

const expected = readFixture<Readonly<Record<string, { readonly ignore: 'accept' | 'reject' | 'either' }>>>(
  'cosign',
  'expected.json',
);

const vectors = ['referrers', 'fallback'].flatMap((kind) =>
  readdirSync(fixturePath('cosign', kind)).map((name) => `${kind}/${name}`),
);

const isSignedByTag = (vector: string): boolean =>
  `${IMAGE.replace(':', '-')}.sig` in readFixture<Index>('cosign', vector, 'index.json').tags;

const signedByTag = vectors.filter((vector) => vector in expected && isSignedByTag(vector));
const others = vectors.filter((vector) => !isSignedByTag(vector));

/** `reject` is met by *rejected*, or by an answer of the registry that is none. */
const WANTED = {
  accept: /^verified$/,
  reject: /^(?:rejected|undetermined registry-answer-invalid)/,
  either: /./,
} as const;

interface Verdict {
  readonly outcome: string;
  readonly reason: string | null;
}

const verdictOf = ({ outcome, reason }: Verdict): string =>
  [outcome, reason].filter((part) => part !== null).join(' ');

describe('verify and the webhook’s judge', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.close());

  /** By the command line, a process’s worth of memory each. */
  const byCommand = async (image: string): Promise<Verdict> => {
    const { stdout } = await runCli([
      'verify',
      '--output',
      'json',
      '--key',
      KEY,
      '--allow-http-registry',
      image,
    ]);
    const { images } = JSON.parse(stdout) as { images: readonly Verdict[] };
    return { outcome: images[0]?.outcome ?? '', reason: images[0]?.reason ?? null };
  };

  /** By the webhook: the vector’s repository is a hub, so its image is judged. */
  const byWebhook = async (image: string): Promise<Verdict> => {
    const configuration = {
      apiVersion: 'sailmark.dev/v1alpha1',
      kind: 'Configuration',
      keys: [{ file: KEY }],
      hubs: [registry.host],
      registries: [{ host: registry.host, plainHTTP: true }],
    };
    const config = await parseConfig(JSON.stringify(configuration), () =>
      Promise.reject(new Error('no file')),
    );
    const core = compose(config, { report: String, onKeyEvent: () => {}, now: Date.now });
    await core.load();
    const body = review(pod([image]));
    const { answer } = await core.review(
      body,
      { mode: 'enforce', critical: false },
      AbortSignal.timeout(10_000),
    );
    const judged = await core.judge(image, AbortSignal.timeout(10_000));
    await core.close();
    const { verification } = judged;
    const reason = answer.response.auditAnnotations['reason'] ?? '';
    expect(answer.response.allowed).toBe(verification?.outcome === 'verified');
    return { outcome: verification?.outcome ?? 'none', reason: reason === '' ? null : reason };
  };

  it('have 38 vectors with a .sig tag to agree on', () => {
    expect(signedByTag.length).toBe(38);
  });

  it.each(signedByTag)('agree on %s, and with what it must come to', async (vector) => {
    const image = `${registry.host}/${registry.loadVector(vector)}@${IMAGE}`;
    const [command, webhook] = [await byCommand(image), await byWebhook(image)];
    expect(webhook).toEqual(command);
    expect(verdictOf(command)).toMatch(WANTED[expected[vector]?.ignore ?? 'either']);
  });

  it.each(others)('agree on %s, which has no .sig tag: there is no signature we read', async (vector) => {
    const image = `${registry.host}/${registry.loadVector(vector)}@${IMAGE}`;
    const none = { outcome: 'rejected', reason: 'signature-missing' };
    expect([await byCommand(image), await byWebhook(image)]).toEqual([none, none]);
  });
});
