import { describe, expect, it, vi } from 'vitest';
import { refuse, sendBrokenJson } from '../support/cluster-server.ts';
import type { InProcessWebhook } from '../support/in-process-webhook.ts';
import { allowed, drop, expireMemory, refused, verdictOn, warned } from '../support/mirror-and-webhook.ts';
import { IMAGES, type Replicas, startReplicas, TAGS } from '../support/replicas.ts';
import { createSigner, imageIndex, imageManifest } from '../support/signing-kit.ts';

/*
 * Replicas share what they verified in ConfigMaps. Each test takes the registry away: what a replica then knows comes
 * from there.
 */

const HOUR = 3_600_000;
const WAIT = { timeout: 15_000, interval: 20 };

const stopRegistry = ({ mirror }: Replicas): void => void (mirror.registry.fault = drop);

/** Verifies an image by tag in a replica of its own, which is stopped. */
const verifyElsewhere = async (replicas: Replicas, image: string, configuration = {}): Promise<void> => {
  const webhook = await replicas.start(configuration);
  expect(await verdictOn(webhook, image)).toEqual(allowed);
  await webhook.stop();
};

/** Replaces text in every value of the ConfigMaps, as somebody who may write them could. */
const rewrite = ({ server }: Replicas, change: (text: string) => string, paths = [TAGS, ...IMAGES]): void => {
  for (const path of paths) {
    const configMap = server.get(path) ?? {};
    const data = Object.entries((configMap['data'] ?? {}) as Record<string, string>);
    server.put(path, {
      ...configMap,
      data: Object.fromEntries(data.map(([key, text]) => [change(key), change(text)])),
    });
  }
};

const isAllowed = (webhook: InProcessWebhook, image: string) => async () =>
  (await verdictOn(webhook, image)).verdict === 'allow';

describe('evidence in the ConfigMaps that proves nothing', () => {
  it('is a row of the table of tags whose digest is not signed', async () => {
    const replicas = await startReplicas();
    const [known, unsigned] = [replicas.mirror.add(), replicas.mirror.add({ by: false })];
    await verifyElsewhere(replicas, known.byTag);
    rewrite(replicas, (text) => text.replaceAll(known.digest, unsigned.digest), [TAGS]);
    stopRegistry(replicas);
    const webhook = await replicas.start();
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused('registry-unavailable'));
    expect(await verdictOn(webhook, unsigned.byDigest)).toEqual(refused('registry-unavailable'));
  });

  it('is the signature of another image, stored as this one’s', async () => {
    const replicas = await startReplicas();
    const [known, unsigned] = [replicas.mirror.add(), replicas.mirror.add({ by: false })];
    await verifyElsewhere(replicas, known.byTag);
    const rename = (text: string): string => text.replaceAll(known.digest.slice(7), unsigned.digest.slice(7));
    // Both ConfigMaps hold it, so that it is found wherever the digest belongs.
    const all = replicas.stored(IMAGES);
    for (const path of IMAGES) replicas.server.put(path, { data: all });
    rewrite(replicas, rename);
    const webhook = await replicas.start();
    expect(await verdictOn(webhook, unsigned.byDigest)).toEqual(refused('signature-missing'));
    stopRegistry(replicas);
    expect(await verdictOn(webhook, unsigned.byTag)).toMatchObject({ verdict: 'deny' });
  });

  it('is a signature by a key that this replica does not have', async () => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add();
    await verifyElsewhere(replicas, known.byTag);
    stopRegistry(replicas);
    const webhook = await replicas.start({ keys: [{ inline: createSigner().publicPem }] });
    expect((await verdictOn(webhook, known.byDigest)).verdict).toBe('deny');
    expect((await verdictOn(webhook, known.byTag)).verdict).toBe('deny');
  });

  it.each([
    ['older than tagOutageWindow', -25 * HOUR],
    ['dated in the future', HOUR],
  ])('is the digest of a tag that is %s', async (_, shift) => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add();
    await verifyElsewhere(replicas, known.byTag);
    const move = (_text: string, at: string): string =>
      `"at":"${new Date(Date.parse(at) + shift).toISOString()}"`;
    rewrite(replicas, (text) => text.replace(/"at":"([^"]+)"/, move), [TAGS]);
    stopRegistry(replicas);
    const webhook = await replicas.start();
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused('registry-unavailable'));
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
  });

  it('is no answer for a tag while its registry responds', async () => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add({ tag: 'moving' });
    await verifyElsewhere(replicas, known.byTag);
    replicas.mirror.add({ tag: 'moving', by: false });
    const webhook = await replicas.start();
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused('signature-missing'));
  });

  it('stores nothing of an image that is not verified', async () => {
    const replicas = await startReplicas();
    const unsigned = [1, 2, 3].map(() => replicas.mirror.add({ by: false }));
    const foreign = replicas.mirror.add({ by: createSigner() });
    const webhook = await replicas.start();
    for (const { byDigest } of [...unsigned, foreign])
      expect((await verdictOn(webhook, byDigest)).verdict).toBe('deny');
    await webhook.stop();
    expect(replicas.stored()).toEqual({});
    expect(replicas.server.requests.filter(({ method }) => method === 'PATCH')).toEqual([]);
  });
});

describe('what one replica verified', () => {
  it.each([false, true])('is known to one that has just started, with bundles: %s', async (bundle) => {
    const replicas = await startReplicas();
    const [known, unknown] = [replicas.mirror.add({ bundle }), replicas.mirror.add({ bundle })];
    const first = await replicas.start();
    expect(await verdictOn(first, known.byTag)).toEqual(allowed);
    await vi.waitUntil(() => Object.keys(replicas.stored()).length === 2, WAIT);
    stopRegistry(replicas);
    const second = await replicas.start();
    expect(await verdictOn(second, known.byTag)).toEqual(warned('registry-unavailable'));
    expect(await verdictOn(second, known.byDigest)).toEqual(allowed);
    expect(await verdictOn(second, unknown.byTag)).toEqual(refused('registry-unavailable'));
    expect(await verdictOn(second, unknown.byDigest)).toEqual(refused('registry-unavailable'));
    expect(await verdictOn(first, known.byDigest)).toEqual(allowed);
  });

  it('is known to one that runs already, and was asked before', async () => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add();
    const second = await replicas.start({ limits: { drain: '0s', rejectedMemory: '1h' } });
    replicas.mirror.registry.fault = drop;
    expect(await verdictOn(second, known.byDigest)).toEqual(refused('registry-unavailable'));
    replicas.mirror.registry.fault = undefined;
    await verifyElsewhere(replicas, known.byTag);
    stopRegistry(replicas);
    await vi.waitUntil(isAllowed(second, known.byDigest), WAIT);
    expect(await verdictOn(second, known.byTag)).toEqual(warned('registry-unavailable'));
  });

  it('is known after all replicas were restarted', async () => {
    const replicas = await startReplicas();
    const images = [replicas.mirror.add(), replicas.mirror.add({ bundle: true })];
    for (const { byTag } of images) await verifyElsewhere(replicas, byTag);
    stopRegistry(replicas);
    const webhook = await replicas.start();
    for (const { byTag, byDigest } of images) {
      expect(await verdictOn(webhook, byTag)).toEqual(warned('registry-unavailable'));
      expect(await verdictOn(webhook, byDigest)).toEqual(allowed);
    }
  });

  it('is kept when both write at the same time', async () => {
    const replicas = await startReplicas();
    const webhooks = [await replicas.start(), await replicas.start(), await replicas.start()];
    const images = Array.from({ length: 12 }, () => replicas.mirror.add());
    await Promise.all(
      images.map(async ({ byTag }, index) => {
        const webhook = webhooks[index % webhooks.length] as InProcessWebhook;
        expect(await verdictOn(webhook, byTag)).toEqual(allowed);
      }),
    );
    await Promise.all(webhooks.map((webhook) => webhook.stop()));
    stopRegistry(replicas);
    const last = await replicas.start();
    for (const { byDigest, byTag } of images) {
      expect(await verdictOn(last, byDigest)).toEqual(allowed);
      expect(await verdictOn(last, byTag)).toEqual(warned('registry-unavailable'));
    }
  });

  it('is not written again while it stays the same', async () => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add();
    await verifyElsewhere(replicas, known.byTag);
    replicas.server.clearRequests();
    const webhook = await replicas.start();
    for (let times = 0; times < 5; times += 1) {
      expect(await verdictOn(webhook, known.byTag)).toEqual(allowed);
      expireMemory(webhook);
    }
    await webhook.stop();
    expect(replicas.server.requests.filter(({ method }) => method === 'PATCH')).toEqual([]);
  });
});

describe('a webhook whose ConfigMaps cannot be used', () => {
  it.each([
    ['are forbidden', refuse(403, 'no')],
    ['answer nonsense', sendBrokenJson],
    ['do not exist', refuse(404, 'not found')],
    ['fail', refuse(500, 'etcd is away')],
  ])('starts and judges where they %s, and says so once', async (_, fault) => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add();
    replicas.server.fault = fault;
    const webhook = await replicas.start();
    expect(await verdictOn(webhook, known.byTag)).toEqual(allowed);
    // The table of tags and two ConfigMaps of images.
    await vi.waitUntil(() => webhook.reported.length === 3, WAIT);
  });

  it('starts after a bounded time where the API server hangs', async () => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add();
    replicas.server.fault = () => true;
    const webhook = await replicas.start();
    expect(await verdictOn(webhook, known.byTag)).toEqual(allowed);
  });

  it('keeps what it read while the API server is away, and writes what it learned afterwards', async () => {
    const replicas = await startReplicas();
    const [known, next] = [replicas.mirror.add(), replicas.mirror.add()];
    await verifyElsewhere(replicas, known.byTag);
    const webhook = await replicas.start();
    replicas.server.fault = refuse(500, 'etcd is away');
    replicas.server.endWatches();
    expect(await verdictOn(webhook, next.byTag)).toEqual(allowed);
    stopRegistry(replicas);
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
    replicas.server.fault = undefined;
    await vi.waitUntil(() => Object.keys(replicas.stored()).length === 4, { ...WAIT, timeout: 30_000 });
  });

  it('ignores what is malformed in them, entry by entry', async () => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add();
    await verifyElsewhere(replicas, known.byTag);
    for (const path of [TAGS, ...IMAGES]) {
      const data = (replicas.server.get(path)?.['data'] ?? {}) as Record<string, string>;
      const junk = {
        [`sha256-${'a'.repeat(64)}`]: '{"repository":"x","used":"never","entries":[]}',
        [`sha256-${'b'.repeat(64)}`]:
          '{"repository":"x","used":"2026-01-01T00:00:00Z","entries":[1,{},null]}',
        [`sha256-${'c'.repeat(64)}`]: '['.repeat(10_000),
        'a.key': 'x',
      };
      replicas.server.put(path, { data: { ...junk, ...data } });
    }
    stopRegistry(replicas);
    const webhook = await replicas.start();
    expect(await verdictOn(webhook, known.byTag)).toEqual(warned('registry-unavailable'));
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
    expect(webhook.reported).toHaveLength(3);
  });

  it('writes what it knows again where they were deleted and created', async () => {
    const replicas = await startReplicas();
    const known = replicas.mirror.add();
    await verifyElsewhere(replicas, known.byTag);
    const webhook = await replicas.start();
    const before = replicas.stored();
    replicas.create();
    await vi.waitUntil(() => Object.keys(replicas.stored()).length === 2, WAIT);
    expect(replicas.stored()).toEqual(before);
    expect(webhook.reported).toEqual([]);
  });
});

describe('the component of an image that a bundle signs', () => {
  it('does not become unproven because there is no room for its configuration: nothing is shared then', async () => {
    const replicas = await startReplicas();
    const Labels = { description: 'x'.repeat(40_000) };
    const image = imageManifest('long', { config: { Entrypoint: ['/usr/local/bin/ztunnel'], Labels } });
    const add = (component: string) => replicas.mirror.add({ component, bundle: true, image });
    const [own, other] = [add('ztunnel'), add('pilot')];
    await verifyElsewhere(replicas, own.byDigest);
    expect(replicas.stored(IMAGES)).toEqual({});
    stopRegistry(replicas);
    const webhook = await replicas.start();
    expect((await verdictOn(webhook, other.byDigest)).verdict).toBe('deny');
  });

  it.each([
    ['of one platform', imageManifest],
    ['of several platforms', imageIndex],
  ])('%s: is proven to every replica, and no other passes', async (_, make) => {
    const replicas = await startReplicas();
    const image = make('shared', { config: { Entrypoint: ['/usr/local/bin/ztunnel'] } });
    const add = (component: string) => replicas.mirror.add({ component, bundle: true, image });
    const [own, other, nameless] = [add('ztunnel'), add('pilot'), add('mesh-thing')];
    await verifyElsewhere(replicas, nameless.byTag);
    stopRegistry(replicas);
    const webhook = await replicas.start();
    expect(await verdictOn(webhook, own.byDigest)).toEqual(allowed);
    expect(webhook.lastRecord()?.requests).toBe(0);
    expect((await verdictOn(webhook, other.byDigest)).verdict).toBe('deny');
    expect(await verdictOn(webhook, own.byDigest)).toEqual(allowed);
  });
});
