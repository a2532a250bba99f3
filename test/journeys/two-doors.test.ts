import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/index.ts';
import { pod, review } from '../support/builders.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { fixturePath, readFixture } from '../support/shared.ts';
import { runCli } from '../support/terminal.ts';

/*
 * Every vector that real cosign made, through both doors, each with a memory of its own: all vectors are one image, so
 * the first accepted one would answer for the rest.
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
  const byCommand = async (image: string, log: Log): Promise<Verdict> => {
    const { stdout } = await runCli([
      'verify',
      '--output',
      'json',
      '--key',
      KEY,
      '--allow-http-registry',
      image,
      ...(log === 'ignore' ? [] : ['--transparency-log', log, '--trusted-root', ROOT]),
    ]);
    const { images } = JSON.parse(stdout) as { images: readonly Verdict[] };
    return { outcome: images[0]?.outcome ?? '', reason: images[0]?.reason ?? null };
  };

  /** By the webhook: the vector’s repository is a hub, so its image is judged. */
  const byWebhook = async (image: string, log: Log): Promise<Verdict> => {
    const configuration = {
      apiVersion: 'sailmark.dev/v1alpha1',
      kind: 'Configuration',
      keys: [{ file: KEY }],
      hubs: [registry.host],
      registries: [{ host: registry.host, plainHTTP: true }],
      transparencyLog: log,
      ...(log === 'ignore' ? {} : { trustedRoot: ROOT }),
    };
    const config = await parseConfig(JSON.stringify(configuration), (path) => readFile(path, 'utf8'));
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

  it('have 188 verdicts to agree on', () => {
    expect(cases.length).toBe(188);
  });

  it.each(cases)('agree on $vector, log: $log, and with what it must come to', async ({ vector, log }) => {
    const image = `${registry.host}/${registry.loadVector(vector)}@${IMAGE}`;
    const [command, webhook] = [await byCommand(image, log), await byWebhook(image, log)];
    expect(webhook).toEqual(command);
    expect(verdictOf(command)).toMatch(WANTED[expected[vector]?.[log] ?? 'either']);
  });
});
