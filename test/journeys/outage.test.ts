import { describe, expect, it, onTestFinished } from 'vitest';
import { pod, review } from '../support/builders.ts';
import { type Door, openDoor, reasonsOf } from '../support/journey-door.ts';
import { type Mirror, type MirroredImage, startMirror } from '../support/journey-mirror.ts';
import type { Fault } from '../support/registry-server.ts';
import { createSigner } from '../support/signing-kit.ts';

/*
 * A registry that is gone, silent or unwilling, before and after it was asked about an image. Every review is sent with
 * `?timeout=2s`, as an API server would that waits no longer, and must be answered inside it.
 */

interface Stage {
  readonly mirror: Mirror;
  readonly door: Door;
}

/** The mirror comes first, so that `configure` can name what it holds. */
const open = async (configure: (mirror: Mirror) => object = () => ({})): Promise<Stage> => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  const door = await openDoor({ ...mirror.configuration, ...configure(mirror) });
  return { mirror, door };
};

/** Past `tagMemory` and `rejectedMemory`: what is asked now is asked of the registry. */
const later = (door: Door): void => door.pass(10_001);

const TIMEOUT = 2000;

interface Told {
  readonly verdict: string | undefined;
  readonly reasons: readonly string[];
}

const ask = async (door: Door, images: readonly string[], path = '/validate/enforce') => {
  const answer = await door.ask(`${path}?timeout=${TIMEOUT / 1000}s`, review(pod(images)));
  expect(answer.milliseconds).toBeLessThan(TIMEOUT - 100);
  return answer;
};

const tell = async (door: Door, image: string, path?: string): Promise<Told> => {
  const answer = await ask(door, [image], path);
  return { verdict: answer.auditAnnotations?.['verdict'], reasons: reasonsOf(answer) };
};

const allowed: Told = { verdict: 'allow', reasons: [] };
const warned = (code: string): Told => ({ verdict: 'warn', reasons: [code] });
const refused = (code: string): Told => ({ verdict: 'deny', reasons: [code] });

const hang: Fault = () => true;
const answerWith =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Fault =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
const drop: Fault = (request) => {
  request.socket.destroy();
  return true;
};
const limitRate = answerWith(429, { 'retry-after': '30' });

type Outage = readonly [name: string, reason: string, begin: (mirror: Mirror) => Promise<void> | void];

const OUTAGES: readonly Outage[] = [
  ['stopped', 'registry-unavailable', ({ registry }) => registry.close()],
  ['failing', 'registry-unavailable', ({ registry }) => void (registry.fault = answerWith(503))],
  ['hanging', 'deadline-exceeded', ({ registry }) => void (registry.fault = hang)],
  ['rate-limiting', 'registry-rate-limited', ({ registry }) => void (registry.fault = limitRate)],
];

describe.each(OUTAGES)('a registry that is %s', (_name, reason, begin) => {
  it('leaves an image that it was never asked about refused, with the reason', async () => {
    const { mirror, door } = await open();
    const image = mirror.add();
    await begin(mirror);
    const [byDigest, byTag] = await Promise.all([tell(door, image.byDigest), tell(door, image.byTag)]);
    expect([byDigest, byTag]).toEqual([refused(reason), refused(reason)]);
  });

  it('leaves a verified digest allowed, its tag with a warning, and what is unknown refused', async () => {
    const { mirror, door } = await open();
    const [known, unknown] = [mirror.add(), mirror.add()];
    expect(await tell(door, known.byTag)).toEqual(allowed);
    await begin(mirror);
    later(door);
    const { registry } = mirror;
    registry.forget();
    expect(await tell(door, known.byDigest)).toEqual(allowed);
    expect(registry.requests).toEqual([]);
    const told = await Promise.all(
      [known.byTag, unknown.byDigest, unknown.byTag].map((image) => tell(door, image)),
    );
    expect(told).toEqual([warned(reason), refused(reason), refused(reason)]);
    const { allowed: starts, warnings } = await ask(door, [known.byTag]);
    expect([starts, warnings?.length, warnings?.[0]]).toEqual([
      true,
      1,
      expect.stringContaining(`let through: the tag last stood for ${known.digest}, which is verified`),
    ]);
  });

  it('leaves a tag that was never verified, though its digest was, with nothing to stand for', async () => {
    const { mirror, door } = await open();
    const image = mirror.add();
    expect(await tell(door, image.byDigest)).toEqual(allowed);
    await begin(mirror);
    expect(await tell(door, image.byTag)).toEqual(refused(reason));
  });
});

describe('a pod of which one image is rejected while another’s repository hangs', () => {
  const onlyProxy: Fault = (request) => request.url?.includes('/proxyv2/') === true;

  it.each(['deny', 'allow-verified-tag', 'allow'])('is refused for it, under %s', async (enforce) => {
    const { mirror, door } = await open(() => ({ undetermined: { enforce } }));
    const late = mirror.add();
    const unsigned = mirror.add({ component: 'pilot', by: false });
    mirror.registry.fault = onlyProxy;
    const answer = await ask(door, [late.byDigest, unsigned.byDigest]);
    expect(answer.allowed).toBe(false);
    expect(reasonsOf(answer).toSorted()).toEqual(['deadline-exceeded', 'signature-missing']);
    expect(answer.status?.message).toContain(
      `image "${unsigned.byDigest}" in container "app-1" (spec.containers[1].image): no signature was found`,
    );
  });
});

describe('what undetermined means', () => {
  const CHOICES = ['deny', 'allow-verified-tag', 'allow'] as const;
  type Choice = (typeof CHOICES)[number];
  const CODE = 'registry-rate-limited';
  /** A verified tag, and an image that was never asked about. */
  const EXPECTED: Readonly<Record<Choice, readonly [Told, Told]>> = {
    deny: [refused(CODE), refused(CODE)],
    'allow-verified-tag': [warned(CODE), refused(CODE)],
    allow: [warned(CODE), warned(CODE)],
  };
  const pairs = CHOICES.flatMap((enforce) =>
    CHOICES.map((critical): readonly [Choice, Choice] => [enforce, critical]),
  );

  it.each(pairs)('%s on the ordinary path, and %s on the critical one', async (enforce, critical) => {
    const { mirror, door } = await open(() => ({ undetermined: { enforce, critical } }));
    const [known, unknown] = [mirror.add(), mirror.add()];
    await tell(door, known.byTag);
    mirror.registry.fault = limitRate;
    later(door);
    const both = async (path: string): Promise<readonly Told[]> => [
      await tell(door, known.byTag, path),
      await tell(door, unknown.byTag, path),
    ];
    expect(await both('/validate/enforce')).toEqual(EXPECTED[enforce]);
    expect(await both('/validate/critical/enforce')).toEqual(EXPECTED[critical]);
    expect(await tell(door, known.byDigest)).toEqual(allowed);
    expect(await tell(door, known.byDigest, '/validate/critical/enforce')).toEqual(allowed);
  });

  const HTML = answerWith(200, { 'content-type': 'text/html' }, '<html>Sign in to the network</html>');
  const CHOSEN: readonly (readonly [string, string, Fault])[] = [
    ['a refusal', 'registry-refused', answerWith(403)],
    ['an answer that is none', 'registry-answer-invalid', HTML],
  ];

  it.each(CHOSEN)('allow never covers %s', async (_name, reason, fault) => {
    const { mirror, door } = await open(() => ({ undetermined: { enforce: 'allow' } }));
    const [known, unknown] = [mirror.add(), mirror.add()];
    await tell(door, known.byTag);
    mirror.registry.fault = fault;
    later(door);
    expect(await tell(door, known.byTag)).toEqual(refused(reason));
    expect(await tell(door, unknown.byTag)).toEqual(refused(reason));
    expect(await tell(door, unknown.byDigest)).toEqual(refused(reason));
  });

  it('allow never covers an unknown signer while a key is missing', async () => {
    const { mirror, door } = await open(({ release }) => ({
      undetermined: { enforce: 'allow' },
      keys: [{ inline: release.publicPem }, { url: 'https://127.0.0.1:1/key.pub' }],
    }));
    const stranger = mirror.add({ by: createSigner() });
    expect(await tell(door, mirror.add().byTag)).toEqual(allowed);
    expect(await tell(door, stranger.byTag)).toEqual(refused('key-ring-incomplete'));
  });

  it('allow never covers a question that was not sent in time', async () => {
    const { mirror, door } = await open(() => ({
      undetermined: { enforce: 'allow' },
      limits: { verificationsAtOnce: 1, drain: '0s' },
    }));
    mirror.registry.fault = hang;
    const [first, second] = [mirror.add(), mirror.add()];
    const answer = await ask(door, [first.byDigest, second.byDigest]);
    expect([answer.allowed, mirror.registry.requests.length]).toEqual([false, 1]);
    expect(answer.status?.message).toContain(`image "${second.byDigest}"`);
    expect(answer.status?.message).toContain('its registry was not asked yet (deadline-exceeded)');
  });
});

describe('a tag whose last answer', () => {
  const verify = async ({ mirror, door }: Stage): Promise<MirroredImage> => {
    const image = mirror.add({ tag: 'moving' });
    expect(await tell(door, image.byTag)).toEqual(allowed);
    later(door);
    return image;
  };

  it('was an unsigned image has nothing to stand for, though an earlier one was verified', async () => {
    const stage = await open(() => ({ undetermined: { enforce: 'allow-verified-tag' } }));
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
    const stage = await open();
    const { mirror, door } = stage;
    const { byTag } = await verify(stage);
    mirror.registry.untag('istio/proxyv2', 'moving');
    expect(await tell(door, byTag)).toEqual(refused('image-not-found'));
    later(door);
    mirror.registry.fault = limitRate;
    expect(await tell(door, byTag)).toEqual(refused('registry-rate-limited'));
  });

  it('is older than tagOutageWindow has nothing to stand for', async () => {
    const stage = await open(() => ({ undetermined: { tagOutageWindow: '1h' } }));
    const { mirror, door } = stage;
    const { byTag } = await verify(stage);
    mirror.registry.fault = answerWith(503);
    door.pass(3_500_000);
    expect(await tell(door, byTag)).toEqual(warned('registry-unavailable'));
    door.pass(100_000);
    expect(await tell(door, byTag)).toEqual(refused('registry-unavailable'));
  });

  it('was an image signed as another component has nothing to stand for', async () => {
    const stage = await open();
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
    const stage = await open((mirror) => {
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
    const { mirror, door } = await open();
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
    const { mirror, door } = await open();
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
