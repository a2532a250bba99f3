import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTls } from '../support/tls.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';
import { at, manifestOf, render } from './helm.ts';

interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs the command of the pod of `helm test`, with the path of this Node. */
const check = async (url: string, mode: string, pin = 'enforce'): Promise<Ran> => {
  const command = at(
    manifestOf(await render(), 'Pod'),
    'spec',
    'containers',
    0,
    'command',
  ) as readonly string[];
  expect(command[0]).toBe('/nodejs/bin/node');
  const env = { PATH: process.env['PATH'], SAILMARK_URL: url, SAILMARK_MODE: mode, SAILMARK_PIN: pin };
  return new Promise((resolve) => {
    execFile(process.execPath, command.slice(1), { env }, (error, stdout, stderr) =>
      resolve({
        code: error === null ? 0 : Number(error.code),
        output: stdout + stderr.replace(/^\(node:.*\n.*\n/m, ''),
      }),
    );
  });
};

describe('helm test', () => {
  const tls = createTls();
  let webhook: Webhook;
  let elsewhere: Webhook;
  beforeAll(async () => {
    webhook = await startWebhook({}, tls);
    elsewhere = await startWebhook({}, createTls(['other.example']));
  });
  afterAll(async () => {
    await webhook.stop();
    await elsewhere.stop();
  });

  it('asks the Service, in the release’s mode', async () => {
    const pod = manifestOf(
      await render({ mode: 'warn', service: { port: 8443 } }, { namespace: 'gate' }),
      'Pod',
    );
    expect(at(pod, 'spec', 'containers', 0, 'env')).toEqual([
      { name: 'SAILMARK_URL', value: 'https://sailmark.gate.svc:8443' },
      { name: 'SAILMARK_MODE', value: 'warn' },
      { name: 'SAILMARK_PIN', value: 'enforce' },
    ]);
    expect(pod.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'test' });
  });

  it('fails where nobody answers', async () => {
    expect(await check('https://127.0.0.1:1', 'audit')).toEqual({
      code: 1,
      output: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('fails where the certificate is somebody else’s', async () => {
    expect(await check(elsewhere.url, 'audit')).toEqual({
      code: 1,
      output: expect.stringContaining("does not match certificate's altnames"),
    });
  });

  it('fails where the answer is none', async () => {
    expect(await check(webhook.url, 'nothing')).toEqual({
      code: 1,
      output: expect.stringContaining('HTTP 404'),
    });
  });

  it.each([
    ['audit', 'audit'],
    ['warn', 'warn'],
    ['enforce', 'deny'],
  ])('passes where a look-alike is judged as the mode says: %s', async (mode, verdict) => {
    const { code, output } = await check(webhook.url, mode);
    expect([code, output]).toEqual([0, expect.stringContaining(`proxyv2:0: ${verdict} image-look-alike`)]);
  });
});
