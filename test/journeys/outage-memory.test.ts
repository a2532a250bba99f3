import { describe, expect, it } from 'vitest';
import type { MirroredImage } from '../support/journey-mirror.ts';
import {
  allowed,
  answerWith,
  drop,
  later,
  limitRate,
  openStage,
  refused,
  type Stage,
  tell,
  warned,
} from '../support/journey-outage.ts';

/*
 * What memory is worth while a registry is gone, and what is asked again once it is back.
 */

describe('a tag whose last answer', () => {
  const verify = async ({ mirror, door }: Stage): Promise<MirroredImage> => {
    const image = mirror.add({ tag: 'moving' });
    expect(await tell(door, image.byTag)).toEqual(allowed);
    later(door);
    return image;
  };

  it('was an unsigned image has nothing to stand for, though an earlier one was verified', async () => {
    const stage = await openStage(() => ({ undetermined: { enforce: 'allow-verified-tag' } }));
    const { mirror, door } = stage;
    const { byTag, byDigest } = await verify(stage);
    mirror.add({ tag: 'moving', by: false });
    expect(await tell(door, byTag)).toEqual(refused('signature-missing'));
    later(door);
    mirror.registry.fault = limitRate;
    expect(await tell(door, byTag)).toEqual(refused('registry-rate-limited'));
    expect(await tell(door, byDigest)).toEqual(allowed);
  });

  it('was that it is not there has nothing to stand for', async () => {
    const stage = await openStage();
    const { mirror, door } = stage;
    const { byTag } = await verify(stage);
    mirror.registry.untag('istio/proxyv2', 'moving');
    expect(await tell(door, byTag)).toEqual(refused('image-not-found'));
    later(door);
    mirror.registry.fault = limitRate;
    expect(await tell(door, byTag)).toEqual(refused('registry-rate-limited'));
  });

  it('is older than tagOutageWindow has nothing to stand for', async () => {
    const stage = await openStage(() => ({ undetermined: { tagOutageWindow: '1h' } }));
    const { mirror, door } = stage;
    const { byTag } = await verify(stage);
    mirror.registry.fault = answerWith(503);
    door.pass(3_500_000);
    expect(await tell(door, byTag)).toEqual(warned('registry-unavailable'));
    door.pass(100_000);
    expect(await tell(door, byTag)).toEqual(refused('registry-unavailable'));
  });

  it('was an image signed as another component has nothing to stand for', async () => {
    const stage = await openStage();
    const { mirror, door } = stage;
    const { byTag } = await verify(stage);
    const wrong = mirror.add({ tag: 'moving', signedAs: 'docker.io/istio/ztunnel' });
    expect(await tell(door, byTag)).toEqual(refused('component-mismatch'));
    later(door);
    mirror.registry.fault = limitRate;
    expect(await tell(door, wrong.byTag)).toEqual(refused('registry-rate-limited'));
  });
});

describe('a revoked digest', () => {
  const openRevoked = async () => {
    const images: MirroredImage[] = [];
    const stage = await openStage((mirror) => {
      images.push(mirror.add());
      return {
        revoked: images.map(({ digest }) => ({ digest, reason: 'CVE-2027-1' })),
        undetermined: { enforce: 'allow', critical: 'allow' },
      };
    });
    return { ...stage, revoked: images[0] as MirroredImage };
  };

  it('outranks its own valid signature and the memory of it, during an outage too', async () => {
    const { mirror, door, revoked } = await openRevoked();
    expect(await tell(door, revoked.byTag)).toEqual(refused('image-revoked'));
    expect(await tell(door, revoked.byTag)).toEqual(refused('image-revoked'));
    later(door);
    mirror.registry.fault = answerWith(503);
    expect(await tell(door, revoked.byTag)).toEqual(refused('image-revoked'));
    expect(await tell(door, revoked.byTag, '/validate/critical/enforce')).toEqual(refused('image-revoked'));
    expect(await tell(door, revoked.byDigest)).toEqual(refused('image-revoked'));
  });

  it('is refused by its digest with nothing asked', async () => {
    const { mirror, door, revoked } = await openRevoked();
    expect(await tell(door, revoked.byDigest)).toEqual(refused('image-revoked'));
    expect(mirror.registry.requests).toEqual([]);
  });
});

describe('a registry that comes back', () => {
  it('is left alone for as long as it asked for, then asked again', async () => {
    const { mirror, door } = await openStage();
    const { registry } = mirror;
    const image = mirror.add();
    registry.fault = limitRate;
    expect(await tell(door, image.byDigest)).toEqual(refused('registry-rate-limited'));
    registry.fault = undefined;
    registry.forget();
    door.pass(25_000);
    expect(await tell(door, image.byDigest)).toEqual(refused('registry-rate-limited'));
    expect(registry.requests).toEqual([]);
    door.pass(5_001);
    expect(await tell(door, image.byDigest)).toEqual(allowed);
  });

  it('is held to be down after failures in a row, and asked again a little later', async () => {
    const { mirror, door } = await openStage();
    const { registry } = mirror;
    registry.fault = drop;
    for (let failures = 0; failures < 10; failures += 1)
      expect(await tell(door, mirror.add().byDigest)).toEqual(refused('registry-unavailable'));
    registry.forget();
    registry.fault = undefined;
    const image = mirror.add();
    expect(await tell(door, image.byDigest)).toEqual(refused('registry-unavailable'));
    expect(registry.requests).toEqual([]);
    door.pass(60_000);
    expect(await tell(door, image.byDigest)).toEqual(allowed);
  });
});
