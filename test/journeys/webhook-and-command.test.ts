import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/index.ts';
import { pod, review } from '../support/builders.ts';
import { IMAGE, KEY, type Log, lineOf, logFlags, ROOT, vectorCases } from '../support/cosign-vectors.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { runCli } from '../support/run-cli.ts';

/*
 * Every vector that real cosign made, by the command line and by the webhook, each with a memory of its own: all
 * vectors are one image, so the first verified one would be remembered for the rest.
 */

interface Verdict {
  readonly outcome: string;
  readonly reason: string | null;
}

describe('verify and the webhook’s judge', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.close());

  /** The verdict of the command line. Each run has a memory of its own. */
  const byCommand = async (image: string, log: Log): Promise<Verdict> => {
    const { stdout } = await runCli([
      'verify',
      '--output',
      'json',
      '--key',
      KEY,
      '--allow-http-registry',
      image,
      ...logFlags(log),
    ]);
    const { images } = JSON.parse(stdout) as { images: readonly Verdict[] };
    return { outcome: images[0]?.outcome ?? '', reason: images[0]?.reason ?? null };
  };

  /** The verdict of the webhook. The vector’s repository is a hub, so its image is judged. */
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
    const { response: reviewed } = await core.reviewer.review(
      body,
      { mode: 'enforce', critical: false },
      AbortSignal.timeout(10_000),
    );
    const judged = await core.judge.judge(image, AbortSignal.timeout(10_000));
    await core.close();
    const { verification } = judged;
    const reason = reviewed.response.auditAnnotations['reason'] ?? '';
    expect(reviewed.response.allowed).toBe(verification?.outcome === 'verified');
    return { outcome: verification?.outcome ?? 'none', reason: reason === '' ? null : reason };
  };

  it('have 188 verdicts to agree on', () => {
    expect(vectorCases.length).toBe(188);
  });

  it.each(vectorCases)('agree on $vector, log: $log, and with what it must come to', async (each) => {
    const { vector, log, verdict } = each;
    const image = `${registry.host}/${registry.loadVector(vector)}@${IMAGE}`;
    const [command, webhook] = [await byCommand(image, log), await byWebhook(image, log)];
    expect(webhook).toEqual(command);
    expect(lineOf(command)).toMatch(verdict);
  });
});
