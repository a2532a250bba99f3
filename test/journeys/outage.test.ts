import { describe, expect, it } from 'vitest';
import { reasonsOf } from '../support/in-process-webhook.ts';
import type { Mirror } from '../support/mirror.ts';
import {
  allowed,
  expireMemory,
  hang,
  limitRate,
  outageLimits,
  refused,
  respondWith,
  sendReview,
  startMirrorAndWebhook,
  type Verdict,
  verdictOn,
  warned,
} from '../support/mirror-and-webhook.ts';
import type { Fault } from '../support/registry-server.ts';
import { createSigner } from '../support/signing-kit.ts';

/*
 * A registry that is down, does not respond or refuses, before and after a first review of an image.
 */

type Outage = readonly [name: string, reason: string, begin: (mirror: Mirror) => Promise<void> | void];

const OUTAGES: readonly Outage[] = [
  ['stopped', 'registry-unavailable', ({ registry }) => registry.close()],
  ['failing', 'registry-unavailable', ({ registry }) => void (registry.fault = respondWith(503))],
  ['hanging', 'registry-unavailable', ({ registry }) => void (registry.fault = hang)],
  ['rate-limiting', 'registry-rate-limited', ({ registry }) => void (registry.fault = limitRate)],
];

describe.each(OUTAGES)('a registry that is %s', (_name, reason, begin) => {
  it('leaves an image that it was never asked about refused, with the reason', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const image = mirror.add();
    await begin(mirror);
    const [byDigest, byTag] = await Promise.all([
      verdictOn(webhook, image.byDigest),
      verdictOn(webhook, image.byTag),
    ]);
    expect([byDigest, byTag]).toEqual([refused(reason), refused(reason)]);
  });

  it('leaves a verified digest allowed, its tag with a warning, and what is unknown refused', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const [known, unknown] = [mirror.add(), mirror.add()];
    expect(await verdictOn(webhook, known.byTag)).toEqual(allowed);
    await begin(mirror);
    expireMemory(webhook);
    const { registry } = mirror;
    registry.clearRequests();
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
    expect(registry.requests).toEqual([]);
    const verdicts = await Promise.all(
      [known.byTag, unknown.byDigest, unknown.byTag].map((image) => verdictOn(webhook, image)),
    );
    expect(verdicts).toEqual([warned(reason), refused(reason), refused(reason)]);
    const { allowed: starts, warnings } = await sendReview(webhook, [known.byTag]);
    expect([starts, warnings?.length, warnings?.[0]]).toEqual([
      true,
      1,
      expect.stringContaining(` the tag resolved to ${known.digest}, which is verified`),
    ]);
  });

  it('leaves a tag that was never verified, though its digest was, with nothing to stand for', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const image = mirror.add();
    expect(await verdictOn(webhook, image.byDigest)).toEqual(allowed);
    await begin(mirror);
    expect(await verdictOn(webhook, image.byTag)).toEqual(refused(reason));
  });
});

describe('a pod of which one image is rejected while another’s repository hangs', () => {
  const onlyProxy: Fault = (request) => request.url?.includes('/proxyv2/') === true;

  it.each(['deny', 'allow-verified-tag', 'allow'])('is refused for it, under %s', async (enforce) => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => ({ undetermined: { enforce } }));
    const late = mirror.add();
    const unsigned = mirror.add({ component: 'pilot', by: false });
    mirror.registry.fault = onlyProxy;
    const response = await sendReview(webhook, [late.byDigest, unsigned.byDigest]);
    expect(response.allowed).toBe(false);
    expect(reasonsOf(response).toSorted()).toEqual(['registry-unavailable', 'signature-missing']);
    expect(response.status?.message).toContain(
      `image "${unsigned.byDigest}" in container "app-1" (spec.containers[1].image): no signature was found`,
    );
  });
});

describe('what undetermined means', () => {
  const CHOICES = ['deny', 'allow-verified-tag', 'allow'] as const;
  type Choice = (typeof CHOICES)[number];
  const CODE = 'registry-rate-limited';
  /** The verdicts on a verified tag, and on an image that was never reviewed before. */
  const EXPECTED: Readonly<Record<Choice, readonly [Verdict, Verdict]>> = {
    deny: [refused(CODE), refused(CODE)],
    'allow-verified-tag': [warned(CODE), refused(CODE)],
    allow: [warned(CODE), warned(CODE)],
  };
  const pairs = CHOICES.flatMap((enforce) =>
    CHOICES.map((critical): readonly [Choice, Choice] => [enforce, critical]),
  );

  it.each(pairs)('%s on the ordinary path, and %s on the critical one', async (enforce, critical) => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => ({ undetermined: { enforce, critical } }));
    const [known, unknown] = [mirror.add(), mirror.add()];
    await verdictOn(webhook, known.byTag);
    mirror.registry.fault = limitRate;
    expireMemory(webhook);
    const both = async (path: string): Promise<readonly Verdict[]> => [
      await verdictOn(webhook, known.byTag, path),
      await verdictOn(webhook, unknown.byTag, path),
    ];
    expect(await both('/validate/enforce')).toEqual(EXPECTED[enforce]);
    expect(await both('/validate/critical/enforce')).toEqual(EXPECTED[critical]);
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
    expect(await verdictOn(webhook, known.byDigest, '/validate/critical/enforce')).toEqual(allowed);
  });

  const HTML = respondWith(200, { 'content-type': 'text/html' }, '<html>Sign in to the network</html>');
  const CHOSEN: readonly (readonly [string, string, Fault])[] = [
    ['a refusal', 'registry-refused', respondWith(403)],
    ['an answer that is none', 'registry-answer-invalid', HTML],
  ];

  it.each(CHOSEN)('allow never covers %s', async (_name, reason, fault) => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => ({ undetermined: { enforce: 'allow' } }));
    const [known, unknown] = [mirror.add(), mirror.add()];
    await verdictOn(webhook, known.byTag);
    mirror.registry.fault = fault;
    expireMemory(webhook);
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused(reason));
    expect(await verdictOn(webhook, unknown.byTag)).toEqual(refused(reason));
    expect(await verdictOn(webhook, unknown.byDigest)).toEqual(refused(reason));
  });

  it('allow never covers an unknown signer while a key is missing', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook(({ release }) => ({
      undetermined: { enforce: 'allow' },
      keys: [{ inline: release.publicPem }, { url: 'https://127.0.0.1:1/key.pub' }],
    }));
    const stranger = mirror.add({ by: createSigner() });
    expect(await verdictOn(webhook, mirror.add().byTag)).toEqual(allowed);
    expect(await verdictOn(webhook, stranger.byTag)).toEqual(refused('key-ring-incomplete'));
  });

  it('allow never covers a request that was not sent in time', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => ({
      undetermined: { enforce: 'allow' },
      limits: { ...outageLimits, verificationsAtOnce: 1 },
    }));
    mirror.registry.fault = hang;
    const [first, second] = [mirror.add(), mirror.add()];
    const response = await sendReview(webhook, [first.byDigest, second.byDigest]);
    expect([response.allowed, mirror.registry.requests.length]).toEqual([false, 2]);
    expect(response.status?.message).toContain(`image "${second.byDigest}"`);
    expect(response.status?.message).toContain('no request was sent to the registry yet (deadline-exceeded)');
  });
});
