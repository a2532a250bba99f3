import { describe, expect, it, onTestFinished } from 'vitest';
import { bundleOf, pushBundle } from '../support/bundle-kit.ts';
import { alternate, challenge, onlyTo, redirectTo } from '../support/faults.ts';
import {
  allowed,
  expireMemory,
  type MirrorAndWebhook,
  refused,
  respondWith,
  sendReview,
  startMirrorAndWebhook,
  type Verdict,
  verdictOn,
  warned,
} from '../support/mirror-and-webhook.ts';
import {
  type Fault,
  type RegistryOptions,
  startRegistry,
  type TestRegistry,
} from '../support/registry-server.ts';
import { createSigner } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';

/*
 * One repository below the mirror, or one tag of a genuine repository, behaves as it likes, and a pod names it. Every other
 * image must get the verdict that it would have got without: no moved tag starts, no genuine image is refused.
 */

const ODD = 'istio/odd';
const BUSY = respondWith(429, { 'retry-after': '300' });
const LATER = respondWith(503, { 'retry-after': '300' });

/** A mirror with a tag that was verified, and has been moved to an unsigned image since. */
const startWithMovedTag = async (options: RegistryOptions = {}) => {
  const { mirror, webhook } = await startMirrorAndWebhook(() => ({}), options);
  const known = mirror.add({ tag: '1.28-moved' });
  expect(await verdictOn(webhook, known.byTag)).toEqual(allowed);
  expireMemory(webhook);
  mirror.add({ tag: '1.28-moved', by: false });
  return { mirror, webhook, moved: known.byTag };
};

/** Names images of the odd repository, by tags that were never seen. */
const sendOddPods = async (
  { mirror, webhook }: MirrorAndWebhook,
  { pods = 2, images = 8, repository = ODD } = {},
): Promise<void> => {
  for (let pod = 0; pod < pods; pod += 1) {
    const tagged = (_: unknown, index: number) => `${mirror.registry.host}/${repository}:${pod}-${index}`;
    await sendReview(webhook, Array.from({ length: images }, tagged));
  }
};

/** The verdicts on a moved tag, and on genuine images that are new to the webhook. */
const verdictsOnOthers = async (
  { mirror, webhook }: MirrorAndWebhook,
  moved: string,
): Promise<readonly Verdict[]> => [
  await verdictOn(webhook, moved),
  await verdictOn(webhook, mirror.add().byDigest),
  await verdictOn(webhook, mirror.add({ component: 'pilot', bundle: true }).byTag),
];
const AS_EVER = [refused('signature-missing'), allowed, allowed];

const startServer = async (options: RegistryOptions) => {
  const server = await startRegistry(options);
  onTestFinished(() => server.close());
  return server;
};

describe('a repository that fails', () => {
  it.each<[string, (registry: TestRegistry) => Fault]>([
    ['502', () => respondWith(502)],
    ['503 and a pause', () => LATER],
    ['429 and a pause', () => BUSY],
    ['401 and a token service that fails', ({ origin }) => challenge(`Bearer realm="${origin}/broken"`)],
    [
      '401 and a token service that asks for a pause',
      ({ origin }) => challenge(`Bearer realm="${origin}/busy"`),
    ],
  ])('with %s makes nobody else’s image start or fail', async (_, faultOf) => {
    const { mirror, webhook, moved } = await startWithMovedTag();
    const { registry } = mirror;
    registry.faults.set(ODD, faultOf(registry));
    registry.fault = (request, response) =>
      onlyTo(/ \/broken/, respondWith(500))(request, response) || onlyTo(/ \/busy/, BUSY)(request, response);
    await sendOddPods({ mirror, webhook });
    expect(await verdictsOnOthers({ mirror, webhook }, moved)).toEqual(AS_EVER);
  });

  it('by dropping each connection makes nobody else’s image start or fail', async () => {
    const { mirror, webhook, moved } = await startWithMovedTag();
    mirror.registry.faults.set(ODD, (request) => {
      request.socket.destroy();
      return true;
    });
    await sendOddPods({ mirror, webhook });
    expect(await verdictsOnOthers({ mirror, webhook }, moved)).toEqual(AS_EVER);
  });
});

describe('broken tags of a genuine repository', () => {
  it.each<[string, Fault]>([
    ['502', respondWith(502)],
    ['503 and a pause', LATER],
    ['429 and a pause', BUSY],
  ])('that respond %s are no outage for its other tags', async (_, fault) => {
    const { mirror, webhook, moved } = await startWithMovedTag();
    mirror.registry.faults.set('istio/proxyv2', onlyTo(/manifests\/\d+-\d+$/, fault));
    await sendOddPods({ mirror, webhook }, { repository: 'istio/proxyv2', images: 32, pods: 1 });
    expect(await verdictsOnOthers({ mirror, webhook }, moved)).toEqual(AS_EVER);
  });

  it('are an outage for the tag that fails itself', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const [failing, working] = [mirror.add({ tag: 'failing' }), mirror.add({ tag: 'working' })];
    await sendReview(webhook, [failing.byTag, working.byTag]);
    expireMemory(webhook);
    mirror.registry.faults.set('istio/proxyv2', onlyTo(/manifests\/failing$/, respondWith(503)));
    expect(await verdictOn(webhook, failing.byTag)).toEqual(warned('registry-unavailable'));
    expect(await verdictOn(webhook, working.byTag)).toEqual(allowed);
  });

  it('that the registry limits the rate of are asked for once, each for itself', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const tags = [mirror.add({ tag: 'one' }), mirror.add({ tag: 'two' })];
    await sendReview(
      webhook,
      tags.map(({ byTag }) => byTag),
    );
    expireMemory(webhook);
    mirror.registry.fault = BUSY;
    mirror.registry.clearRequests();
    for (const { byTag } of [...tags, ...tags])
      expect(await verdictOn(webhook, byTag)).toEqual(warned('registry-rate-limited'));
    expect(mirror.registry.requests.map(({ path }) => path.split('/').at(-1))).toEqual(['one', 'two']);
  });
});

describe('a repository that wants another password or token', () => {
  it('by another protocol than the port of the registry speaks, is refused alone', async () => {
    const { mirror, webhook, moved } = await startWithMovedTag();
    mirror.registry.faults.set(ODD, challenge(`Bearer realm="https://${mirror.registry.host}/token"`));
    await sendOddPods({ mirror, webhook });
    expect(await verdictsOnOthers({ mirror, webhook }, moved)).toEqual(AS_EVER);
  });

  it.each<[string, Fault]>([
    ['Basic', challenge('Basic realm="x"')],
    ['a scheme that nobody knows', challenge('Negotiate')],
    ['nothing that it names', challenge(undefined)],
    [
      'now Basic, now Bearer',
      alternate(challenge('Basic realm="x"'), challenge('Bearer realm="https://127.0.0.1:1/"')),
    ],
    ['403', respondWith(403)],
  ])('%s, on a mirror for everyone, is refused alone', async (_, fault) => {
    const { mirror, webhook, moved } = await startWithMovedTag();
    mirror.registry.faults.set(ODD, fault);
    await sendOddPods({ mirror, webhook });
    expect(await verdictsOnOthers({ mirror, webhook }, moved)).toEqual(AS_EVER);
    mirror.registry.faults.clear();
    expect(await verdictOn(webhook, `${mirror.registry.host}/${ODD}:1`)).toEqual(refused('image-not-found'));
  });

  it('no longer, but Basic for the token that went stale, is asked without one', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => ({}), { auth: { kind: 'token' } });
    expect(await verdictOn(webhook, mirror.add().byTag)).toEqual(allowed);
    const { registry } = mirror;
    registry.faults.set('istio/proxyv2', (request, response) => {
      if (request.headers.authorization !== undefined) return challenge('Basic realm="x"')(request, response);
      return registry.serve(request, response);
    });
    for (let time = 0; time < 3; time += 1)
      expect(await verdictOn(webhook, mirror.add().byTag)).toEqual(allowed);
  });

  it('for its referrers alone, is asked for its manifests as before', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => ({}), { auth: { kind: 'token' } });
    const basic = onlyTo(/\/referrers\//, challenge('Basic realm="x"'));
    mirror.registry.faults.set('istio/proxyv2', basic);
    for (let time = 0; time < 3; time += 1) {
      expect(await verdictOn(webhook, mirror.add().byTag)).toEqual(allowed);
      expect(await verdictOn(webhook, mirror.add({ by: false }).byTag)).toEqual(refused('registry-refused'));
    }
    expect(mirror.registry.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(1);
  });
});

describe('another host that the registry redirects one question to', () => {
  const TLS = createTls();

  it.each<[string, Fault, string]>([
    ['429', BUSY, 'registry-backend-unavailable'],
    ['503', LATER, 'registry-backend-unavailable'],
    ['500', respondWith(500), 'registry-backend-unavailable'],
    ['401', challenge('Basic realm="x"'), 'registry-refused'],
    ['403', respondWith(403), 'registry-refused'],
    ['a dropped connection', (request) => Boolean(request.socket.destroy()), 'registry-backend-unavailable'],
  ])('and that responds %s holds up nothing else', async (_, fault, reason) => {
    const { mirror, webhook, moved } = await startWithMovedTag({ tls: TLS });
    const store = await startServer({ tls: TLS });
    store.fault = fault;
    const elsewhere = mirror.add({ component: 'ztunnel', tag: 'elsewhere' });
    expect(await verdictOn(webhook, elsewhere.byTag)).toEqual(allowed);
    expireMemory(webhook);
    mirror.registry.faults.set('istio/ztunnel', redirectTo(store));
    for (let time = 0; time < 6; time += 1)
      expect(await verdictOn(webhook, elsewhere.byTag)).toEqual(refused(reason));
    expect(store.requests.length).toBeGreaterThanOrEqual(6);
    expect(store.requests.some(({ authorization }) => authorization !== undefined)).toBe(false);
    expect(await verdictsOnOthers({ mirror, webhook }, moved)).toEqual(AS_EVER);
  });

  it('never lets an image start, under allow neither', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => ({ undetermined: { enforce: 'allow' } }), {
      tls: TLS,
    });
    const store = await startServer({ tls: TLS });
    store.fault = BUSY;
    mirror.registry.fault = onlyTo(/\/referrers\/|\.sig$/, redirectTo(store));
    expect(await verdictOn(webhook, mirror.add({ by: false }).byDigest)).toEqual(
      refused('registry-backend-unavailable'),
    );
  });
});

describe('a list of referrers that others made longer than a page', () => {
  it.each<[string, Fault]>([
    ['rate-limited', BUSY],
    ['failing', respondWith(502)],
    ['refused', respondWith(403)],
  ])('hides no bundle before the page that is %s', async (_, fault) => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => ({}), { pageSize: 2 });
    const [genuine, unsigned] = [mirror.add({ bundle: true }), mirror.add({ by: false })];
    const other = createSigner();
    for (const { digest } of [genuine, unsigned, genuine, unsigned])
      pushBundle(mirror.registry, 'istio/proxyv2', digest, bundleOf(other, digest));
    for (const { digest } of [genuine, unsigned])
      pushBundle(mirror.registry, 'istio/proxyv2', digest, bundleOf(createSigner(), digest));
    mirror.registry.fault = onlyTo(/last=/, fault);
    expect((await verdictOn(webhook, unsigned.byDigest)).verdict).toBe('deny');
    expect(await verdictOn(webhook, genuine.byDigest)).toEqual(allowed);
  });
});

describe('a repository without the referrers API', () => {
  it('hides the bundles of no other', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const odd = mirror.add({ component: 'ztunnel' });
    mirror.registry.faults.set('istio/ztunnel', onlyTo(/\/referrers\//, respondWith(404)));
    expect(await verdictOn(webhook, odd.byTag)).toEqual(allowed);
    expect(await verdictOn(webhook, mirror.add({ component: 'pilot', bundle: true }).byTag)).toEqual(allowed);
  });

  it('is not what an absent digest shows: the bundles beside it are found', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const absent = `${mirror.registry.host}/istio/pilot@sha256:${'0'.repeat(64)}`;
    const body = '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}';
    const unknown = respondWith(404, { 'content-type': 'application/json' }, body);
    mirror.registry.fault = onlyTo(/referrers\/sha256:0{64}/, unknown);
    expect(await verdictOn(webhook, absent)).toEqual(refused('signature-missing'));
    expect(await verdictOn(webhook, mirror.add({ component: 'pilot', bundle: true }).byDigest)).toEqual(
      allowed,
    );
  });
});
