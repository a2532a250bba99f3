import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/image/index.ts';
import { pod, review } from '../support/builders.ts';
import { type InProcessWebhook, reasonsOf, startInProcessWebhook } from '../support/in-process-webhook.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { respondWith } from '../support/mirror-and-webhook.ts';
import { imageManifest } from '../support/signing-kit.ts';

/*
 * A tenant names images that are absent or unsigned, as many as it can: in no other namespace does a verdict change.
 */

type Start = (options?: {
  readonly latency?: number;
  readonly configuration?: object;
}) => Promise<{ readonly mirror: Mirror; readonly webhook: InProcessWebhook }>;

const start: Start = async ({ latency, configuration = {} } = {}) => {
  const mirror = await startMirror(latency === undefined ? {} : { latency });
  onTestFinished(() => mirror.registry.close());
  const webhook = await startInProcessWebhook({ ...mirror.configuration, ...configuration });
  return { mirror, webhook };
};

const reviewIn = async (webhook: InProcessWebhook, namespace: string, images: readonly string[]) => {
  const response = await webhook.sendReview('/validate/enforce', review(pod(images), { namespace }));
  const reasons = [...new Set(reasonsOf(response))];
  return { verdict: response.auditAnnotations?.['verdict'], reasons };
};

const allowed = { verdict: 'allow', reasons: [] };
const denied = (...reasons: readonly string[]) => ({ verdict: 'deny', reasons });

const numbered = (count: number, image: (index: number) => string): readonly string[] =>
  Array.from({ length: count }, (_, index) => image(index));
const absentTags = ({ registry }: Mirror, count: number, name: string) =>
  numbered(count, (index) => `${registry.host}/istio/proxyv2:absent-${name}-${index}`);
const unknownDigests = ({ registry }: Mirror, count: number, name: string) =>
  numbered(count, (index) => `${registry.host}/istio/proxyv2@${digestOf(`${name} ${index}`)}`);

describe('a namespace whose pods name 64 absent tags each', () => {
  it('sends no more questions than its budget, and its pods are refused', async () => {
    const limits = { requestBudget: 20, requestBudgetPerSecond: 1, drain: '0s' };
    const { mirror, webhook } = await start({ configuration: { limits } });
    const images = absentTags(mirror, 64, 'one');
    expect(await reviewIn(webhook, 'hostile', images)).toEqual(
      denied('image-not-found', 'request-budget-exceeded'),
    );
    const sent = mirror.registry.requests.length;
    expect(sent).toBeGreaterThanOrEqual(20);
    expect(sent).toBeLessThan(64);
    expect(await reviewIn(webhook, 'hostile', images.slice(0, 8))).toEqual(denied('image-not-found'));
    expect(mirror.registry.requests.length).toBe(sent);
  });

  it('does not keep others from asking, nor itself from what verified before or from what others ask for', async () => {
    const { mirror, webhook } = await start({ configuration: { limits: { requestBudget: 2, drain: '0s' } } });
    const [known, fresh, pinned] = [mirror.add(), mirror.add(), mirror.add()];
    expect(await reviewIn(webhook, 'hostile', [known.byTag])).toEqual(allowed);
    expect(await reviewIn(webhook, 'shop', [pinned.byDigest])).toEqual(allowed);
    expect(await reviewIn(webhook, 'hostile', absentTags(mirror, 64, 'one'))).toMatchObject({
      verdict: 'deny',
    });
    webhook.advanceClock(10_001);
    expect(await reviewIn(webhook, 'hostile', [known.byTag, pinned.byDigest])).toEqual(allowed);
    expect(await reviewIn(webhook, 'shop', [fresh.byTag])).toEqual(allowed);
    expect(await reviewIn(webhook, 'hostile', [fresh.byTag])).toEqual(allowed);
  });

  it('is not let through by an outage rule', async () => {
    const { mirror, webhook } = await start({
      configuration: {
        limits: { requestBudget: 1, requestBudgetPerSecond: 1, drain: '0s' },
        undetermined: { enforce: 'allow' },
      },
    });
    const [first = '', second = ''] = unknownDigests(mirror, 2, 'any');
    expect(await reviewIn(webhook, 'hostile', [first])).toEqual(denied('signature-missing'));
    expect(await reviewIn(webhook, 'hostile', [second])).toEqual(denied('request-budget-exceeded'));
  });

  it('leaves a tag that is pushed later to be found by others at once', async () => {
    const { mirror, webhook } = await start();
    const byTag = `${mirror.registry.host}/istio/proxyv2:soon`;
    expect(await reviewIn(webhook, 'hostile', [byTag])).toEqual(denied('image-not-found'));
    mirror.add({ tag: 'soon' });
    expect(await reviewIn(webhook, 'shop', [byTag])).toEqual(allowed);
    expect(await reviewIn(webhook, 'hostile', [byTag])).toEqual(allowed);
  });

  it('leaves an image that is signed later to be verified by others at once', async () => {
    const { mirror, webhook } = await start();
    const image = imageManifest('signed later');
    const { byTag, byDigest } = mirror.add({ tag: 'soon', by: false, image });
    expect(await reviewIn(webhook, 'hostile', [byTag, byDigest])).toEqual(denied('signature-missing'));
    mirror.add({ tag: 'soon', image });
    expect(await reviewIn(webhook, 'shop', [byTag, byDigest])).toEqual(allowed);
  });

  it('leaves a tag of an unsigned image to be resolved again by others at once', async () => {
    const { mirror, webhook } = await start();
    const { byTag } = mirror.add({ tag: 'soon', by: false });
    expect(await reviewIn(webhook, 'hostile', [byTag])).toEqual(denied('signature-missing'));
    mirror.add({ tag: 'soon' });
    expect(await reviewIn(webhook, 'shop', [byTag])).toEqual(allowed);
    expect(await reviewIn(webhook, 'hostile', [byTag])).toEqual(allowed);
  });

  it('leaves a known tag that was an unsigned image for a while to be resolved again by others at once', async () => {
    const { mirror, webhook } = await start();
    const { byTag } = mirror.add({ tag: 'known' });
    expect(await reviewIn(webhook, 'shop', [byTag])).toEqual(allowed);
    mirror.add({ tag: 'known', by: false });
    webhook.advanceClock(10_001);
    expect(await reviewIn(webhook, 'hostile', [byTag])).toEqual(denied('signature-missing'));
    mirror.add({ tag: 'known' });
    expect(await reviewIn(webhook, 'shop', [byTag])).toEqual(allowed);
  });
});

describe('a namespace whose images verify', () => {
  it('may start as many as it likes: their questions do not count', async () => {
    const { mirror, webhook } = await start({
      configuration: { limits: { requestBudget: 16, drain: '0s' } },
    });
    for (let at = 0; at < 5; at += 1) {
      const images = numbered(8, () => mirror.add().byTag);
      expect(await reviewIn(webhook, 'istio-system', images)).toEqual(allowed);
    }
  });
});

describe('a registry that cannot be connected to', () => {
  it('uses up nobody’s budget while it is known to be down: every image starts where the outage rule says so', async () => {
    const { mirror, webhook } = await start({
      configuration: {
        limits: { requestBudget: 20, requestBudgetPerSecond: 1, drain: '0s' },
        undetermined: { enforce: 'allow' },
      },
    });
    const images = unknownDigests(mirror, 100, 'down');
    await mirror.registry.close();
    const verdicts = [];
    for (const image of images) verdicts.push(await reviewIn(webhook, 'shop', [image]));
    const letThrough = { verdict: 'warn', reasons: ['registry-unavailable'] };
    expect(verdicts).toEqual(verdicts.map(() => letThrough));
  });
});

describe('pods of many namespaces that name absent tags', () => {
  it('leave a known tag to stand for what it last resolved to, in the outage that follows', async () => {
    const { mirror, webhook } = await start({ configuration: { limits: { tagEntries: 50, drain: '0s' } } });
    const { byTag } = mirror.add();
    expect(await reviewIn(webhook, 'shop', [byTag])).toEqual(allowed);
    for (const namespace of ['a', 'b', 'c', 'd'])
      await reviewIn(webhook, namespace, absentTags(mirror, 32, namespace));
    mirror.registry.fault = respondWith(503);
    webhook.advanceClock(10_001);
    expect(await reviewIn(webhook, 'shop', [byTag])).toEqual({
      verdict: 'warn',
      reasons: ['registry-unavailable'],
    });
  });
});

describe('a namespace whose requests hang in every slot that it may have', () => {
  it('does not hold up an image that it asks for too: others do not stand in its line', async () => {
    const { mirror, webhook } = await start();
    const { byTag } = mirror.add();
    mirror.registry.fault = (request) => request.url?.includes('/hangs-') === true;
    const hangs = numbered(60, (index) => `${mirror.registry.host}/istio/hangs-${index}:x`);
    const pods = numbered(8, String).map((_, at) => hangs.slice(8 * at, 8 * at + 7));
    const hanging = pods.map((images) => reviewIn(webhook, 'hostile', images));
    // Half of the slots that known requests do not have to themselves.
    await expect.poll(() => mirror.registry.requests.length, { timeout: 10_000 }).toBe(28);
    const hangingToo = reviewIn(webhook, 'hostile', [byTag]);
    expect(await reviewIn(webhook, 'shop', [byTag])).toEqual(allowed);
    await Promise.all([...hanging, hangingToo]);
  }, 60_000);

  it('does not hold up who waits with it for a registry that takes a second request to resolve a tag', async () => {
    const { mirror, webhook } = await start();
    const [shared, other] = [mirror.add(), mirror.add()];
    const pathOf = (byTag: string): string => byTag.replace(/.*\/istio\/proxyv2:/, '/proxyv2/manifests/');
    const held = Promise.withResolvers<() => void>();
    mirror.registry.fault = ({ url = '', method }, response) => {
      const isHeld = method === 'HEAD' && url.endsWith(pathOf(shared.byTag));
      if (isHeld) held.resolve(() => response.writeHead(405).end());
      return isHeld || url.includes('/hangs-');
    };
    const sharing = reviewIn(webhook, 'hostile', [shared.byTag]);
    const release = await held.promise;
    const hangs = numbered(60, (index) => `${mirror.registry.host}/istio/hangs-${index}:x`);
    const pods = numbered(8, String).map((_, at) => hangs.slice(8 * at, 8 * at + 7));
    const hanging = pods.map((images) => reviewIn(webhook, 'hostile', images));
    await expect.poll(() => mirror.registry.requests.length, { timeout: 10_000 }).toBe(28);
    const waiting = reviewIn(webhook, 'shop', [shared.byTag, other.byTag]);
    // Images are judged in their order: by now it waits for the first one too.
    const isAsked = () => mirror.registry.requests.some(({ path }) => path.endsWith(pathOf(other.byTag)));
    await expect.poll(isAsked).toBe(true);
    release();
    expect(await waiting).toEqual(allowed);
    // Those in line have stayed there, but for the one that got the slot afterwards.
    expect(mirror.registry.requests.filter(({ path }) => path.includes('/hangs-')).length).toBeLessThan(29);
    await Promise.all([...hanging, sharing]);
  }, 60_000);
});

describe('a namespace whose tags of a genuine repository hang', () => {
  it('does not hold up a new image of that repository in another namespace', async () => {
    const limits = { reviewDeadline: '4s', drain: '0s' };
    const { mirror, webhook } = await start({ configuration: { limits } });
    mirror.registry.fault = (request) => request.url?.includes('absent-') === true;
    const tags = absentTags(mirror, 40, 'hanging');
    const hanging = numbered(5, String).map((_, at) =>
      reviewIn(webhook, 'hostile', tags.slice(8 * at, 8 * at + 8)),
    );
    await expect.poll(() => mirror.registry.requests.length, { timeout: 10_000 }).toBe(19);
    expect(await reviewIn(webhook, 'shop', [mirror.add().byTag])).toEqual(allowed);
    await Promise.all(hanging);
  }, 60_000);
});

describe('150 reviews of 64 unknown digests each, at once, while each request takes 0.4 s', () => {
  it('leave a known tag allowed, and an unknown image of another namespace', async () => {
    const { mirror, webhook } = await start({ latency: 400 });
    const [known, fresh] = [mirror.add(), mirror.add()];
    expect(await reviewIn(webhook, 'shop', [known.byTag])).toEqual(allowed);
    webhook.advanceClock(10_001);
    const flood = Array.from({ length: 150 }, (_, at) =>
      reviewIn(webhook, 'hostile', unknownDigests(mirror, 64, `${at}`)),
    );
    // The questions of the flood are on their way.
    await expect.poll(() => mirror.registry.requests.length, { timeout: 10_000 }).toBeGreaterThan(60);
    const others = [known, fresh].map(({ byTag }) => reviewIn(webhook, 'shop', [byTag]));
    expect(await Promise.all(others)).toEqual([allowed, allowed]);
    for (const { verdict } of await Promise.all(flood)) expect(verdict).toBe('deny');
  }, 60_000);
});
