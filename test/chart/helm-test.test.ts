import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTls } from '../support/tls.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';
import { at, manifestOf, render } from './helm.ts';

interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs the command of the pod of `helm test`, with the path of this Node. */
const check = async (url: string, mode: string, ...args: readonly string[]): Promise<Ran> => {
  const command = at(
    manifestOf(await render(), 'Pod'),
    'spec',
    'containers',
    0,
    'command',
  ) as readonly string[];
  expect(command[0]).toBe('/nodejs/bin/node');
  const env = { PATH: process.env['PATH'], SAILMARK_URL: url, SAILMARK_MODE: mode, SAILMARK_PIN: 'enforce' };
  return new Promise((resolve) => {
    execFile(process.execPath, [...command.slice(1), ...args], { env }, (error, stdout, stderr) =>
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

  it('runs where and as the values let pods run', async () => {
    const common = {
      nodeSelector: { 'kubernetes.io/os': 'linux', pool: 'system' },
      tolerations: [{ key: 'system', operator: 'Exists' }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      priorityClassName: 'high',
      runtimeClassName: 'gvisor',
      dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['gate'] }],
      imagePullSecrets: [{ name: 'pull' }],
    };
    const resources = { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '2', memory: '1Gi' } };
    const podSecurityContext = { runAsUser: 1000 };
    const securityContext = { seLinuxOptions: { level: 's0' } };
    const values = {
      ...common,
      resources,
      podSecurityContext,
      securityContext,
      podLabels: { tier: 'gate' },
      podAnnotations: { tier: 'gate' },
      commonLabels: { team: 'platform' },
    };
    const manifests = await render(values);
    const tested = manifestOf(manifests, 'Pod');
    const deployed = at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'spec');
    expect(tested['spec']).toMatchObject(common);
    expect(tested.metadata).toMatchObject({
      labels: { tier: 'gate', team: 'platform' },
      annotations: { tier: 'gate' },
    });
    for (const path of [
      ['securityContext'],
      ['containers', 0, 'securityContext'],
      ['containers', 0, 'resources'],
    ])
      expect(at(tested['spec'], ...path)).toEqual(at(deployed, ...path));
    expect(at(tested['spec'], 'containers', 0, 'resources')).toEqual(resources);
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

  /** Serves metrics. Resolves with their URL. */
  const serveMetrics = async (text: string): Promise<string> => {
    const server = createServer((_, response) => response.end(text));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  };

  it('fails where a replica says that the webhook configuration is not in force', async () => {
    const metrics = await serveMetrics('# HELP sailmark_webhook_active …\nsailmark_webhook_active 0\n');
    expect(await check(webhook.url, 'audit', metrics)).toEqual({
      code: 1,
      output: expect.stringContaining('nothing is refused: the webhook configuration is not in force'),
    });
  });

  it('passes where it is in force, and where the metrics cannot be read', async () => {
    for (const url of [await serveMetrics('sailmark_webhook_active 1\n'), 'http://127.0.0.1:1/metrics'])
      expect(await check(webhook.url, 'audit', url)).toMatchObject({ code: 0 });
  });

  it('asks for the metrics only where something is put in force', async () => {
    const argsOf = async (values: object) =>
      at(manifestOf(await render(values, { namespace: 'gate' }), 'Pod'), 'spec', 'containers', 0, 'args');
    expect(await argsOf({})).toEqual(['http://sailmark-metrics.gate.svc:8081/metrics']);
    expect(await argsOf({ webhook: { activation: 'immediate' } })).toBeUndefined();
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
