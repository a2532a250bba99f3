import { describe, expect, it, onTestFinished } from 'vitest';
import { container, pod, review } from '../support/builders.ts';
import { pushBundle } from '../support/bundle-kit.ts';
import { type InProcessWebhook, startInProcessWebhook } from '../support/in-process-webhook.ts';
import { type Mirror, type MirroredImage, startMirror } from '../support/mirror.ts';
import { createSigner, imageIndex } from '../support/signing-kit.ts';

/*
 * The requests that a verification costs, counted at the registry. The token is cached, as it is for every image of a
 * repository except the first.
 */

interface MirrorAndWebhook {
  readonly mirror: Mirror;
  readonly webhook: InProcessWebhook;
}

const startWithWarmToken = async (
  options: {
    readonly latency?: number;
    readonly referrersApi?: boolean;
    readonly componentProof?: 'none';
  } = {},
): Promise<MirrorAndWebhook> => {
  const { componentProof = 'configuration', ...ofRegistry } = options;
  const mirror = await startMirror({ auth: { kind: 'token' }, ...ofRegistry });
  onTestFinished(() => mirror.registry.close());
  const webhook = await startInProcessWebhook({ ...mirror.configuration, componentProof });
  const { byTag } = mirror.add();
  const warm = await webhook.summaryOf(review(pod([`${byTag}-nowhere`])));
  expect(warm).toMatchObject({ reasons: ['image-not-found'] });
  // HEAD without a token, the token request, HEAD with the token, and GET, which alone proves an absence.
  expect(mirror.registry.requests.length).toBe(4);
  mirror.registry.clearRequests();
  return { mirror, webhook };
};

/**
 * Removes and returns the requests of one review, without the repository. Sorted: concurrent requests arrive in any
 * order.
 */
const takeRequests = ({ registry }: Mirror): readonly string[] =>
  registry.requests
    .splice(0)
    .map(({ method, path }) => {
      const [, kind = path, name = ''] = /\/(manifests|blobs|token|referrers)\b\/?(.*)$/.exec(path) ?? [];
      return `${method} ${kind} ${name.replace(/^sha256-.*\.sig$/, '.sig').replace(/^sha256([:-]).*/, 'sha256$1')}`;
    })
    .toSorted();

const REFERRERS = 'GET referrers sha256:';
const FALLBACK = 'GET manifests sha256-';
const SIGNATURE = 'GET manifests .sig';
const MANIFEST = 'GET manifests sha256:';
const BLOB = 'GET blobs sha256:';
/** The requests for every digest: its referrers and its signature tag, sent concurrently. */
const DIGEST_REQUESTS = [SIGNATURE, REFERRERS];
/** A bundle, and beside it the manifest and the configuration of the image, because a bundle names no component. */
const BUNDLE = [BLOB, BLOB, SIGNATURE, MANIFEST, MANIFEST, REFERRERS];
const BUNDLE_OF_INDEX = [BLOB, BLOB, SIGNATURE, MANIFEST, MANIFEST, MANIFEST, REFERRERS];
const tagOf = ({ byTag }: MirroredImage): string => `HEAD manifests ${byTag.split(':').at(-1)}`;

type Signing = NonNullable<Parameters<Mirror['add']>[0]>;

let indexes = 0;
const KINDS: readonly (readonly [string, (mirror: Mirror) => Signing, string, readonly string[]])[] = [
  ['signed under the hub’s name', () => ({}), 'allow', DIGEST_REQUESTS],
  ['signed by a bundle', () => ({ bundle: true }), 'allow', BUNDLE],
  [
    'signed by a bundle, of several platforms',
    () => ({ bundle: true, image: imageIndex(`index ${(indexes += 1)}`) }),
    'allow',
    BUNDLE_OF_INDEX,
  ],
  [
    'signed under the mirror’s name',
    ({ registry }) => ({ signedAs: `${registry.host}/istio/proxyv2` }),
    'allow',
    DIGEST_REQUESTS,
  ],
  [
    'signed under a name nobody could guess',
    () => ({ signedAs: 'build.example/somewhere/else/proxyv2' }),
    'allow',
    [BLOB, ...DIGEST_REQUESTS],
  ],
  ['signed by a stranger', () => ({ by: createSigner() }), 'deny', DIGEST_REQUESTS],
  ['unsigned', () => ({ by: false }), 'deny', DIGEST_REQUESTS],
];

describe('a verification, with the token warm', () => {
  it.each(KINDS)('%s: by digest, and by tag one request more', async (_name, signing, verdict, requests) => {
    const { mirror, webhook } = await startWithWarmToken();
    const first = mirror.add(signing(mirror));
    const byDigest = await webhook.summaryOf(review(pod([first.byDigest])));
    expect(takeRequests(mirror)).toEqual(requests);
    expect(byDigest).toMatchObject({ verdict, requests: requests.length });

    const second = mirror.add(signing(mirror));
    const byTag = await webhook.summaryOf(review(pod([second.byTag])));
    expect(takeRequests(mirror)).toEqual([...requests, tagOf(second)].toSorted());
    expect(byTag).toMatchObject({ verdict, requests: requests.length + 1 });
  });

  it.each(KINDS)('%s: nothing while it is remembered', async (_name, signing, verdict) => {
    const { mirror, webhook } = await startWithWarmToken();
    const image = mirror.add(signing(mirror));
    for (const name of [image.byTag, image.byDigest]) await webhook.summaryOf(review(pod([name])));
    mirror.registry.clearRequests();
    for (const name of [image.byDigest, image.byTag]) {
      const again = await webhook.summaryOf(review(pod([name])));
      expect(again).toMatchObject({ verdict, requests: 0 });
    }
    expect(takeRequests(mirror)).toEqual([]);
  });

  it('of a tag whose memory is over asks for the tag alone', async () => {
    const { mirror, webhook } = await startWithWarmToken();
    const image = mirror.add();
    await webhook.summaryOf(review(pod([image.byTag])));
    mirror.registry.clearRequests();
    webhook.advanceClock(10_001);
    expect(await webhook.summaryOf(review(pod([image.byTag])))).toEqual({
      verdict: 'allow',
      reasons: [],
      requests: 1,
    });
    expect(takeRequests(mirror)).toEqual([tagOf(image)]);
  });

  it('of what was rejected is asked for again after ten seconds', async () => {
    const { mirror, webhook } = await startWithWarmToken();
    const image = mirror.add({ by: false });
    await webhook.summaryOf(review(pod([image.byDigest])));
    mirror.registry.clearRequests();
    webhook.advanceClock(10_001);
    await webhook.summaryOf(review(pod([image.byDigest])));
    expect(takeRequests(mirror)).toEqual(DIGEST_REQUESTS);
  });
});

describe('a tag that is not there', () => {
  it('costs a HEAD and a GET, whatever HEAD has found in its repository', async () => {
    const { mirror, webhook } = await startWithWarmToken();
    const { byTag } = mirror.add();
    const absent = { reasons: ['image-not-found'], requests: 2 };
    expect(await webhook.summaryOf(review(pod([`${byTag}-first`])))).toMatchObject(absent);
    await webhook.summaryOf(review(pod([byTag])));
    expect(await webhook.summaryOf(review(pod([`${byTag}-second`])))).toMatchObject(absent);
  });
});

describe('a verification of a bundle', () => {
  it('is not taken for one where only something else refers to a signed image: nothing more is read', async () => {
    const { mirror, webhook } = await startWithWarmToken();
    const { byDigest, digest } = mirror.add();
    const options = { artifactType: 'application/spdx+json', layerType: 'application/spdx+json' };
    pushBundle(mirror.registry, 'istio/proxyv2', digest, Buffer.from('{}'), options);
    expect(await webhook.summaryOf(review(pod([byDigest])))).toMatchObject({ verdict: 'allow' });
    expect(takeRequests(mirror)).toEqual([SIGNATURE, MANIFEST, REFERRERS]);
  });

  it('by a stranger reads the configuration beside it, and no more', async () => {
    const { mirror, webhook } = await startWithWarmToken();
    const { byDigest } = mirror.add({ by: createSigner(), bundle: true });
    expect(await webhook.summaryOf(review(pod([byDigest])))).toMatchObject({ verdict: 'deny' });
    // The verdict may come before the configuration was asked for.
    const requests = takeRequests(mirror);
    expect([BUNDLE, BUNDLE.slice(1)]).toContainEqual(requests);
  });

  it('of an image that is of no component reads no configuration', async () => {
    const { mirror, webhook } = await startWithWarmToken();
    const { byDigest } = mirror.add({ component: 'mesh-thing', bundle: true });
    // The repository is new, so the token is too: three requests at once are refused at first.
    expect(await webhook.summaryOf(review(pod([byDigest])))).toMatchObject({ verdict: 'allow' });
    expect(takeRequests(mirror).filter((request) => request === BLOB)).toEqual([BLOB]);
  });

  it('with componentProof: none reads no configuration', async () => {
    const { mirror, webhook } = await startWithWarmToken({ componentProof: 'none' });
    const { byDigest } = mirror.add({ bundle: true });
    expect(await webhook.summaryOf(review(pod([byDigest])))).toMatchObject({ verdict: 'allow', requests: 4 });
    expect(takeRequests(mirror)).toEqual([BLOB, SIGNATURE, MANIFEST, REFERRERS]);
  });
});

describe('a verification at a registry without the referrers API', () => {
  const OLD: readonly (readonly [string, Signing, string, readonly string[]])[] = [
    ['unsigned', { by: false }, 'deny', [SIGNATURE, FALLBACK]],
    ['signed', {}, 'allow', [SIGNATURE, FALLBACK]],
    ['signed by a bundle', { bundle: true }, 'allow', [BLOB, BLOB, SIGNATURE, FALLBACK, MANIFEST, MANIFEST]],
  ];

  it.each(OLD)(
    '%s: one request more at the first contact, and never again',
    async (_name, signing, verdict, requests) => {
      const { mirror, webhook } = await startWithWarmToken({ referrersApi: false });
      const [first, second] = [mirror.add(signing), mirror.add(signing)];
      expect(await webhook.summaryOf(review(pod([first.byDigest])))).toMatchObject({
        verdict,
        requests: requests.length + 1,
      });
      expect(takeRequests(mirror)).toEqual([...requests, REFERRERS].toSorted());
      expect(await webhook.summaryOf(review(pod([second.byDigest])))).toMatchObject({
        verdict,
        requests: requests.length,
      });
      expect(takeRequests(mirror)).toEqual(requests);
      expect(await webhook.summaryOf(review(pod([mirror.add(signing).byTag])))).toMatchObject({
        verdict,
        requests: requests.length + 1,
      });
    },
  );
});

describe('ten pods of eight containers of one new image, at once', () => {
  const reviewsOf = (image: string): readonly object[] =>
    Array.from({ length: 10 }, () =>
      review(pod({ containers: Array.from({ length: 8 }, (_, index) => container(image, `app-${index}`)) })),
    );

  it.each([
    ['byDigest', 'its signature', {}, DIGEST_REQUESTS],
    ['byTag', 'its signature', {}, DIGEST_REQUESTS],
    ['byDigest', 'its bundle', { bundle: true }, BUNDLE],
    ['byTag', 'its bundle', { bundle: true }, BUNDLE],
  ] as const)('%s, with %s: are asked for as one', async (name, _format, signing, requests) => {
    const { mirror, webhook } = await startWithWarmToken({ latency: 100 });
    const image = mirror.add(signing);
    const responses = await Promise.all(
      reviewsOf(image[name]).map((each) => webhook.sendReview('/validate/enforce', each)),
    );
    expect(responses.map(({ allowed }) => allowed)).toEqual(Array.from({ length: 10 }, () => true));
    expect(takeRequests(mirror)).toEqual(
      [...requests, ...(name === 'byTag' ? [tagOf(image)] : [])].toSorted(),
    );
  });

  it('of an unsigned image: are asked for as one, and all refused', async () => {
    const { mirror, webhook } = await startWithWarmToken({ latency: 100 });
    const image = mirror.add({ by: false });
    const responses = await Promise.all(
      reviewsOf(image.byDigest).map((each) => webhook.sendReview('/validate/enforce', each)),
    );
    expect(responses.map(({ allowed }) => allowed)).toEqual(Array.from({ length: 10 }, () => false));
    expect(takeRequests(mirror)).toEqual(DIGEST_REQUESTS);
  });
});

describe('the depth of a verification, with 100 ms to each request', () => {
  /**
   * Counts the rounds of requests: requests that see the same number of arrivals were in flight together, and every
   * other number is one more latency.
   */
  const watch = ({ registry }: Mirror): (() => number) => {
    const arrived = new Set<number>();
    registry.fault = () => {
      arrived.add(registry.requests.length);
      return false;
    };
    return () => arrived.size;
  };

  const DEPTHS: readonly (readonly [string, Signing, 'byDigest' | 'byTag', number])[] = [
    ['by digest, the payload rebuilt', {}, 'byDigest', 1],
    ['by digest, the payload fetched', { signedAs: 'build.example/else/proxyv2' }, 'byDigest', 2],
    ['by tag, the payload rebuilt', {}, 'byTag', 2],
    ['by tag, the payload fetched', { signedAs: 'build.example/else/proxyv2' }, 'byTag', 3],
    ['by digest, unsigned', { by: false }, 'byDigest', 1],
    ['by digest, a bundle', { bundle: true }, 'byDigest', 3],
    ['by tag, a bundle', { bundle: true }, 'byTag', 4],
    ['by digest, a bundle of several platforms', { bundle: true, image: imageIndex('one') }, 'byDigest', 4],
    [
      'by the tag of a release with bundles, a bundle of several platforms',
      { bundle: true, image: imageIndex('two'), tag: '1.30.0' },
      'byTag',
      4,
    ],
  ];

  it.each(DEPTHS)('%s', async (_name, signing, name, depth) => {
    const { mirror, webhook } = await startWithWarmToken({ latency: 100 });
    const depthSoFar = watch(mirror);
    await webhook.summaryOf(review(pod([mirror.add(signing)[name]])));
    expect(depthSoFar()).toBe(depth);
  });

  it('by digest beside the tag of a release with bundles, a bundle of several platforms: 3', async () => {
    const { mirror, webhook } = await startWithWarmToken({ latency: 100 });
    const { byTag, digest } = mirror.add({ bundle: true, image: imageIndex('four'), tag: '1.30.2' });
    const depthSoFar = watch(mirror);
    expect(await webhook.summaryOf(review(pod([`${byTag}@${digest}`])))).toMatchObject({
      verdict: 'allow',
      requests: BUNDLE_OF_INDEX.length,
    });
    expect(depthSoFar()).toBe(3);
  });

  it('of eight images in one pod is that of one', async () => {
    const { mirror, webhook } = await startWithWarmToken({ latency: 100 });
    const images = Array.from({ length: 8 }, () => mirror.add().byDigest);
    const depthSoFar = watch(mirror);
    expect(await webhook.summaryOf(review(pod(images)))).toEqual({
      verdict: 'allow',
      reasons: [],
      requests: 16,
    });
    expect(depthSoFar()).toBe(1);
  });
});
