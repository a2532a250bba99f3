import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { container, pod, review } from '../support/builders.ts';
import type { InProcessWebhook } from '../support/in-process-webhook.ts';
import { allowed, refused, responseSummary, startWithImages } from '../support/webhook-and-images.ts';

/*
 * Anyone who can create pods chooses their images; anyone who reaches the port chooses every byte. Neither gains by it.
 */

/** Counts connections, and closes each. */
const startListener = async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections };
};

const verdictOf = async (webhook: InProcessWebhook, image: string, name: string) => {
  const { verdict, reasons } = await responseSummary(
    webhook,
    review(pod({ containers: [container(image, name)] })),
  );
  return [verdict, ...reasons];
};

describe('a host that nobody configured', () => {
  it('is not connected to, whatever image and container name it', async () => {
    const foreign = await startListener();
    const { webhook } = await startWithImages({ unrecognised: 'deny' });
    const named = [
      [`${foreign.host}/istio/proxyv2:1.28.0`, 'app'],
      [`${foreign.host}/proxyv2@sha256:${'0'.repeat(64)}`, 'app'],
      [`${foreign.host}/docker.io/istio/pilot:1.28.0`, 'discovery'],
      [`${foreign.host}/anything:latest`, 'istio-proxy'],
    ] as const;
    expect(await Promise.all(named.map(([image, name]) => verdictOf(webhook, image, name)))).toEqual([
      ['deny', 'image-look-alike'],
      ['deny', 'image-look-alike'],
      ['deny', 'image-look-alike'],
      ['deny', 'image-unrecognised'],
    ]);
    expect(foreign.connections()).toBe(0);
  });

  it.each([
    ['my_registry.corp.example/istio/pilot:1.28.0', 'image-look-alike'],
    ['my__registry.corp.example/istio/istioctl:1.28.0', 'image-look-alike'],
    ['my_registry.corp.example/proxyv2:1.28.0', 'image-look-alike'],
    ['my_registry:5000/istio/pilot:1.28.0', 'image-reference-invalid'],
    [`evil.example:${'0'.repeat(5000)}443/istio/pilot:1.28.0`, 'image-reference-invalid'],
  ])(
    'is refused and sent nothing, though only container runtimes take it for a host: %.40s',
    async (image, reason) => {
      const { webhook } = await startWithImages();
      const summary = await webhook.summaryOf(review(pod({ containers: [container(image, 'app')] })));
      expect(summary).toEqual({ verdict: 'deny', reasons: [reason], requests: 0 });
    },
  );

  it('is connected to once it is a mirror', async () => {
    const foreign = await startListener();
    const { webhook } = await startWithImages({
      mirrors: [{ mirror: `${foreign.host}/istio`, of: 'docker.io/istio' }],
    });
    expect(await verdictOf(webhook, `${foreign.host}/istio/proxyv2:1.28.0`, 'app')).toEqual([
      'deny',
      'registry-unavailable',
    ]);
    expect(foreign.connections()).toBeGreaterThan(0);
  });
});

describe('a body that is nested two million deep', () => {
  const deep = `${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}`;

  it('instead of a review is 400', async () => {
    const { webhook, signed } = await startWithImages();
    expect((await webhook.post('/validate/enforce', deep)).status).toBe(400);
    expect(await responseSummary(webhook, review(pod([signed.byTag])))).toEqual(allowed);
  });

  it('in a pod’s unknown member does not hide its unsigned image', async () => {
    const { webhook, signed, unsigned } = await startWithImages();
    const sent = JSON.stringify(review(pod([unsigned.byTag])));
    for (const member of ['metadata', 'spec']) {
      const { response } = await webhook.post(
        '/validate/enforce',
        sent.replace(`"${member}":{`, `$&"unknown":${deep},`),
      );
      expect(response).toMatchObject({ allowed: false, status: { code: refused.status } });
    }
    expect(await responseSummary(webhook, review(pod([signed.byTag])))).toEqual(allowed);
  });
});
