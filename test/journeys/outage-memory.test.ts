import { describe, expect, it } from 'vitest';
import type { MirroredImage } from '../support/mirror.ts';
import {
  allowed,
  drop,
  expireMemory,
  limitRate,
  type MirrorAndWebhook,
  refused,
  respondWith,
  startMirrorAndWebhook,
  verdictOn,
  warned,
} from '../support/mirror-and-webhook.ts';

/*
 * Remembered verdicts while a registry is down, and the requests that are sent once it is back.
 */

describe('a tag whose last answer', () => {
  const verify = async ({ mirror, webhook }: MirrorAndWebhook): Promise<MirroredImage> => {
    const image = mirror.add({ tag: 'moving' });
    expect(await verdictOn(webhook, image.byTag)).toEqual(allowed);
    expireMemory(webhook);
    return image;
  };

  it('was an unsigned image has nothing to stand for, though an earlier one was verified', async () => {
    const started = await startMirrorAndWebhook(() => ({ undetermined: { enforce: 'allow-verified-tag' } }));
    const { mirror, webhook } = started;
    const { byTag, byDigest } = await verify(started);
    mirror.add({ tag: 'moving', by: false });
    expect(await verdictOn(webhook, byTag)).toEqual(refused('signature-missing'));
    expireMemory(webhook);
    mirror.registry.fault = limitRate;
    expect(await verdictOn(webhook, byTag)).toEqual(refused('registry-rate-limited'));
    expect(await verdictOn(webhook, byDigest)).toEqual(allowed);
  });

  it('was that it is not there has nothing to stand for', async () => {
    const started = await startMirrorAndWebhook();
    const { mirror, webhook } = started;
    const { byTag } = await verify(started);
    mirror.registry.untag('istio/proxyv2', 'moving');
    expect(await verdictOn(webhook, byTag)).toEqual(refused('image-not-found'));
    expireMemory(webhook);
    mirror.registry.fault = limitRate;
    expect(await verdictOn(webhook, byTag)).toEqual(refused('registry-rate-limited'));
  });

  it('is older than tagOutageWindow has nothing to stand for', async () => {
    const started = await startMirrorAndWebhook(() => ({ undetermined: { tagOutageWindow: '1h' } }));
    const { mirror, webhook } = started;
    const { byTag } = await verify(started);
    mirror.registry.fault = respondWith(503);
    webhook.advanceClock(3_500_000);
    expect(await verdictOn(webhook, byTag)).toEqual(warned('registry-unavailable'));
    webhook.advanceClock(100_000);
    expect(await verdictOn(webhook, byTag)).toEqual(refused('registry-unavailable'));
  });

  it('was an image signed as another component has nothing to stand for', async () => {
    const started = await startMirrorAndWebhook();
    const { mirror, webhook } = started;
    const { byTag } = await verify(started);
    const wrong = mirror.add({ tag: 'moving', signedAs: 'docker.io/istio/ztunnel' });
    expect(await verdictOn(webhook, byTag)).toEqual(refused('component-mismatch'));
    expireMemory(webhook);
    mirror.registry.fault = limitRate;
    expect(await verdictOn(webhook, wrong.byTag)).toEqual(refused('registry-rate-limited'));
  });
});

describe('a revoked digest', () => {
  const openRevoked = async () => {
    const images: MirroredImage[] = [];
    const started = await startMirrorAndWebhook((mirror) => {
      images.push(mirror.add());
      return {
        revoked: images.map(({ digest }) => ({ digest, reason: 'CVE-2027-1' })),
        undetermined: { enforce: 'allow', critical: 'allow' },
      };
    });
    return { ...started, revoked: images[0] as MirroredImage };
  };

  it('outranks its own valid signature and the memory of it, during an outage too', async () => {
    const { mirror, webhook, revoked } = await openRevoked();
    expect(await verdictOn(webhook, revoked.byTag)).toEqual(refused('image-revoked'));
    expect(await verdictOn(webhook, revoked.byTag)).toEqual(refused('image-revoked'));
    expireMemory(webhook);
    mirror.registry.fault = respondWith(503);
    expect(await verdictOn(webhook, revoked.byTag)).toEqual(refused('image-revoked'));
    expect(await verdictOn(webhook, revoked.byTag, '/validate/critical/enforce')).toEqual(
      refused('image-revoked'),
    );
    expect(await verdictOn(webhook, revoked.byDigest)).toEqual(refused('image-revoked'));
  });

  it('is refused by its digest with nothing asked', async () => {
    const { mirror, webhook, revoked } = await openRevoked();
    expect(await verdictOn(webhook, revoked.byDigest)).toEqual(refused('image-revoked'));
    expect(mirror.registry.requests).toEqual([]);
  });
});

describe('a registry that comes back', () => {
  it('is left alone for as long as it asked for, then asked again', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const { registry } = mirror;
    const image = mirror.add();
    registry.fault = limitRate;
    expect(await verdictOn(webhook, image.byDigest)).toEqual(refused('registry-rate-limited'));
    registry.fault = undefined;
    registry.clearRequests();
    webhook.advanceClock(25_000);
    expect(await verdictOn(webhook, image.byDigest)).toEqual(refused('registry-rate-limited'));
    expect(registry.requests).toEqual([]);
    webhook.advanceClock(5_001);
    expect(await verdictOn(webhook, image.byDigest)).toEqual(allowed);
  });

  it('is held to be down after failures in a row, for what failed, and asked again a little later', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const { registry } = mirror;
    const image = mirror.add();
    registry.fault = drop;
    for (let failures = 0; failures < 5; failures += 1)
      expect(await verdictOn(webhook, image.byDigest)).toEqual(refused('registry-unavailable'));
    registry.fault = undefined;
    expect(await verdictOn(webhook, mirror.add().byDigest)).toEqual(allowed);
    registry.clearRequests();
    expect(await verdictOn(webhook, image.byDigest)).toEqual(refused('registry-unavailable'));
    expect(registry.requests).toEqual([]);
    webhook.advanceClock(60_000);
    expect(await verdictOn(webhook, image.byDigest)).toEqual(allowed);
  });
});
