import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { pod, review } from '../support/builders.ts';
import { reasonsOf } from '../support/in-process-webhook.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { createSigner } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';

/*
 * `serve` as a process of its own: changes while it runs, and its shutdown.
 */

const tls = createTls();

const start = async (configure: (mirror: Mirror) => object) => {
  const mirror = await startMirror();
  const webhook = await startWebhook({ ...mirror.configuration, ...configure(mirror) }, tls);
  onTestFinished(async () => {
    await webhook.stop();
    await mirror.registry.close();
  });
  return { mirror, webhook };
};

const reasonsFor = async (webhook: Webhook, image: string): Promise<readonly string[]> =>
  reasonsOf((await webhook.sendReview('/validate/enforce', review(pod([image])))).response);

/** A file as Kubernetes mounts it: `key.pub` links through `..data`, which is swapped in one step. */
const mountKey = async (content: string) => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-keys-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  let version = 0;
  const replace = async (text: string): Promise<void> => {
    version += 1;
    await mkdir(join(directory, `..v${version}`));
    await writeFile(join(directory, `..v${version}`, 'key.pub'), text);
    await symlink(`..v${version}`, join(directory, '..next'));
    await rename(join(directory, '..next'), join(directory, '..data'));
  };
  await replace(content);
  await symlink('..data/key.pub', join(directory, 'key.pub'));
  return { path: join(directory, 'key.pub'), replace };
};

describe('a key file that is replaced while serve runs', () => {
  it('lets the new key’s images in and the old key’s no longer, remembered ones neither', async () => {
    const [before, after] = [createSigner(), createSigner()];
    const file = await mountKey(before.publicPem);
    const { mirror, webhook } = await start(() => ({ keys: [{ file: file.path }] }));
    const old = { known: mirror.add({ by: before }), unknown: mirror.add({ by: before }) };
    const next = { refused: mirror.add({ by: after }), unknown: mirror.add({ by: after }) };
    expect(await reasonsFor(webhook, old.known.byDigest)).toEqual([]);
    expect(await reasonsFor(webhook, next.refused.byDigest)).toEqual(['signer-untrusted']);

    await file.replace(after.publicPem);
    const isTrusted = async (): Promise<boolean> =>
      (await reasonsFor(webhook, next.refused.byDigest)).length === 0;
    await vi.waitUntil(isTrusted, { timeout: 15_000, interval: 50 });

    expect(await reasonsFor(webhook, next.unknown.byDigest)).toEqual([]);
    expect(await reasonsFor(webhook, old.known.byDigest)).toEqual(['signer-untrusted']);
    expect(await reasonsFor(webhook, old.unknown.byDigest)).toEqual(['signer-untrusted']);
  });
});

describe('the metrics of serve', () => {
  /** The number of reviews, as the metrics count them at this moment. */
  const countReviews = async ({ probes }: Webhook): Promise<number> => {
    const text = await (await fetch(`${probes}/metrics`)).text();
    const counts = [...text.matchAll(/^sailmark_reviews_total\{[^}]*\} (\d+)$/gmu)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };

  it('hold every review that was answered before they are read', async () => {
    const { mirror, webhook } = await start(() => ({}));
    const image = mirror.add().byDigest;
    for (let answered = 1; answered <= 20; answered += 1) {
      await reasonsFor(webhook, image);
      expect(await countReviews(webhook)).toBe(answered);
    }
  });
});

interface Reply {
  readonly status: number | undefined;
  readonly body: string;
  /** True if the response closes its connection. */
  readonly closes: boolean;
}

/** A client like the API server: it reuses its connection, and opens a new one after `Connection: close`. */
const createClient = ({ url }: Webhook) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: tls.ca });
  onTestFinished(() => agent.destroy());
  return (body: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const options = { method: 'POST', agent, headers };
      const request = httpsRequest(`${url}/validate/enforce`, options, (response) => {
        const { statusCode: status, headers: answered } = response;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status,
            body: Buffer.concat(chunks).toString(),
            closes: answered.connection === 'close',
          }),
        );
      });
      request.once('error', reject);
      request.end(body);
    });
};

describe('serve that is told to end', () => {
  it('has every review in its log that it answered before', async () => {
    const { mirror, webhook } = await start(() => ({}));
    const sent = review(pod([mirror.add().byDigest]));
    await webhook.sendReview('/validate/enforce', sent);
    await webhook.stop();
    expect(webhook.output()).toContain(`"review":{"uid":"${sent.request.uid}"`);
  });
});

describe('serve that is told to end under load', () => {
  const CLIENTS = 8;
  /** Milliseconds for which clients still connect: the time until no Service routes to this process any more. */
  const STILL_COMING = 500;

  it('fails no call that is sent before it ends, and finishes what is under way', async () => {
    const { mirror, webhook } = await start(() => ({ limits: { drain: '1s' } }));
    const { registry } = mirror;
    const body = JSON.stringify(review(pod([mirror.add().byDigest])));
    const tally = { answered: 0, closed: 0, failed: [] as unknown[] };
    let closing: number | undefined;
    const isOver = (): boolean => closing !== undefined && performance.now() > closing + STILL_COMING;
    const comeAndGo = async (): Promise<void> => {
      const send = createClient(webhook);
      while (!isOver()) {
        try {
          const { status, closes } = await send(body);
          expect(status).toBe(200);
          tally.answered += 1;
          if (closes) tally.closed += 1;
          if (closes) closing ??= performance.now();
        } catch (error) {
          tally.failed.push(error);
        }
      }
    };
    const clients = Array.from({ length: CLIENTS }, comeAndGo);
    await vi.waitUntil(() => tally.answered > 200, { timeout: 10_000, interval: 5 });
    expect(tally.closed).toBe(0);

    // One review waits for its registry while the process gets SIGTERM.
    const pending: { writeHead(status: number): { end(): unknown } }[] = [];
    registry.fault = (_request, response) => {
      pending.push(response);
      return true;
    };
    const waiting = JSON.stringify(review(pod([mirror.add({ component: 'pilot' }).byDigest])));
    const underWay = createClient(webhook)(waiting);
    await vi.waitUntil(() => pending.length === 2, { timeout: 5000, interval: 5 });

    const began = performance.now();
    const stopped = webhook.stop();
    await vi.waitUntil(() => closing !== undefined, { timeout: 5000, interval: 5 });
    expect((await fetch(`${webhook.probes}/readyz`)).status).toBe(503);
    await Promise.all(clients);
    registry.fault = undefined;
    for (const response of pending) response.writeHead(404).end();
    expect(await underWay).toMatchObject({ status: 200, closes: true });
    expect((await underWay).body).toContain('signature-missing');
    await stopped;
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(tally.failed).toEqual([]);
    // Every response except those that were in flight when the signal came.
    expect(tally.closed).toBeGreaterThan(CLIENTS);
    await expect(fetch(`${webhook.probes}/livez`)).rejects.toThrow('fetch failed');
  });
});
