import { describe, expect, it, onTestFinished } from 'vitest';
import { pod, review } from '../support/builders.ts';
import { type InProcessWebhook, reasonsOf, startInProcessWebhook } from '../support/in-process-webhook.ts';
import { startMirror } from '../support/mirror.ts';
import { hang, refused, type Verdict, warned } from '../support/mirror-and-webhook.ts';

/*
 * The API server hands its client's `?timeout` on, so whoever creates a pod chooses how long sailmark may take. A registry
 * that takes 0.7 s to respond is in service.
 */

const verdictWithin = async (webhook: InProcessWebhook, image: string, timeout: string): Promise<Verdict> => {
  const response = await webhook.sendReview(`/validate/enforce?timeout=${timeout}`, review(pod([image])));
  return { verdict: response.auditAnnotations?.['verdict'], reasons: reasonsOf(response) };
};

const startSlow = async (enforce: string, exemptions: (host: string) => readonly object[] = () => []) => {
  const mirror = await startMirror({ latency: 700 });
  onTestFinished(() => mirror.registry.close());
  const rules = { undetermined: { enforce }, exemptions: exemptions(mirror.registry.host) };
  const webhook = await startInProcessWebhook({ ...mirror.configuration, ...rules });
  return { mirror, webhook };
};

describe('a pod that is created with ?timeout=1s while the registry takes 0.7 s', () => {
  it.each(['allow-verified-tag', 'allow'])(
    'is refused if its tag has moved to an unsigned image, under %s',
    async (enforce) => {
      const { mirror, webhook } = await startSlow(enforce);
      const { byTag } = mirror.add({ tag: 'moving' });
      expect(await verdictWithin(webhook, byTag, '10s')).toEqual({ verdict: 'allow', reasons: [] });
      mirror.add({ tag: 'moving', by: false });
      webhook.advanceClock(10_001);
      expect(await verdictWithin(webhook, byTag, '1s')).toEqual(refused('deadline-exceeded'));
      expect(await verdictWithin(webhook, byTag, '10s')).toEqual(refused('signature-missing'));
    },
  );

  it('is refused if it has a digest that an exempt tag stood for before', async () => {
    const { mirror, webhook } = await startSlow('allow-verified-tag', (host) => [
      {
        images: [`${host}/istio/proxyv2:legacy-*`],
        namespaces: ['*'],
        reason: 'old',
        owner: 'mesh',
        expires: '2999-01-01',
      },
    ]);
    const before = mirror.add({ tag: 'legacy-1', by: false });
    const image = `${before.byTag}@${before.digest}`;
    expect((await verdictWithin(webhook, image, '10s')).verdict).toBe('allow');
    mirror.add({ tag: 'legacy-1', by: false });
    webhook.advanceClock(10_001);
    expect(await verdictWithin(webhook, image, '1s')).toEqual(refused('deadline-exceeded'));
    expect(await verdictWithin(webhook, image, '10s')).toEqual(refused('signature-missing'));
  });

  it('is refused if its digest was never seen, under allow', async () => {
    const { mirror, webhook } = await startSlow('allow');
    const { byDigest } = mirror.add({ by: false });
    expect(await verdictWithin(webhook, byDigest, '1s')).toEqual(refused('deadline-exceeded'));
    expect(await verdictWithin(webhook, byDigest, '10s')).toEqual(refused('signature-missing'));
  });
});

describe('a pod that is created with ?timeout=1s while the registry hangs', () => {
  const startHanging = async (limits: object) => {
    const mirror = await startMirror();
    onTestFinished(() => mirror.registry.close());
    const webhook = await startInProcessWebhook({ ...mirror.configuration, limits });
    const { byTag } = mirror.add();
    expect(await verdictWithin(webhook, byTag, '10s')).toEqual({ verdict: 'allow', reasons: [] });
    webhook.advanceClock(10_001);
    mirror.registry.fault = hang;
    return { webhook, byTag };
  };

  it('is refused if nobody has waited for registrySilence yet', async () => {
    const { webhook, byTag } = await startHanging({ drain: '0s' });
    expect(await verdictWithin(webhook, byTag, '1s')).toEqual(refused('deadline-exceeded'));
  });

  it('starts, as its tag last verified, if others have waited for so long', async () => {
    const { webhook, byTag } = await startHanging({ drain: '0s', registrySilence: '700ms' });
    const patient = verdictWithin(webhook, byTag, '4s');
    expect(await verdictWithin(webhook, byTag, '1s')).toEqual(refused('deadline-exceeded'));
    expect(await verdictWithin(webhook, byTag, '1s')).toEqual(warned('registry-unavailable'));
    expect(await patient).toEqual(warned('registry-unavailable'));
  });
});

describe('a pod that is created with the default timeout while the registry hangs', () => {
  it('starts as its tag last verified, after the 3 s for which a registry may be silent', async () => {
    const mirror = await startMirror();
    onTestFinished(() => mirror.registry.close());
    const webhook = await startInProcessWebhook(mirror.configuration);
    const { byTag } = mirror.add();
    expect(await verdictWithin(webhook, byTag, '10s')).toEqual({ verdict: 'allow', reasons: [] });
    webhook.advanceClock(10_001);
    mirror.registry.fault = hang;
    expect(await verdictWithin(webhook, byTag, '10s')).toEqual(warned('registry-unavailable'));
  }, 30_000);
});
