import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Core, compose } from '../../../src/compose.ts';
import { parseConfig } from '../../../src/config/index.ts';
import { digestOf } from '../../../src/image/index.ts';
import type { Judgement } from '../../../src/policy/index.ts';
import { createDriftCollector } from '../../../src/scan/drift/drift-collector.ts';
import { type DriftOptions, findDrift } from '../../../src/scan/drift/find-drift.ts';
import { type Mirror, startMirror } from '../../support/mirror.ts';
import { type Artifact, imageManifest, indexOf, push } from '../../support/signing-kit.ts';

const NO_FILE = () => Promise.reject(new Error('no file'));
const OTHER = digestOf('another image');

let mirror: Mirror;
let core: Core;

beforeEach(async () => {
  mirror = await startMirror();
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  const config = await parseConfig(JSON.stringify({ ...head, ...mirror.configuration }), NO_FILE);
  core = compose(config, { report: String, onKeyEvent: () => {}, now: Date.now });
  await core.load();
});
afterEach(async () => {
  await core.close();
  await mirror.registry.close();
});

const platform = (architecture: string) => imageManifest(`the image for ${architecture}`, { architecture });
const PLATFORMS = [platform('amd64'), platform('arm64')];
const configOf = ({ bytes }: Artifact): string =>
  (JSON.parse(bytes.toString()) as { config: { digest: string } }).config.digest;
const [AMD64, ARM64] = PLATFORMS.map(({ digest }) => digest);
const [AMD64_CONFIG = '', ARM64_CONFIG = ''] = PLATFORMS.map(configOf);
const indexWith = (manifests: readonly Artifact[]) =>
  indexOf(
    manifests.map((manifest, at) => ({
      manifest,
      descriptor: { platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' } },
    })),
  );
const INDEX = indexWith(PLATFORMS);

let requests = 0;
const podOf = (name: string, reference: string, imageId: string | null) => ({
  namespace: 'shop',
  owner: 'Deployment/cart',
  name,
  pod: {
    spec: { containers: [{ name: 'istio-proxy', image: reference }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'istio-proxy', imageID: imageId, state: { running: {} } }],
    },
  },
});

/** Judges the images of the pods, and finds the drift of what runs in them. */
const driftOf = async (pods: readonly ReturnType<typeof podOf>[], more: Partial<DriftOptions> = {}) => {
  const collector = createDriftCollector({
    isIstio: (reference) => core.judge.inspect(reference).class?.kind === 'istio',
  });
  for (const pod of pods) collector.add(pod);
  const judgements = new Map<string, Judgement>();
  for (const { reference } of collector.uses())
    judgements.set(reference, await core.judge.judge(reference, AbortSignal.timeout(10_000)));
  requests = 0;
  return findDrift({
    uses: collector.uses(),
    omitted: collector.omitted(),
    judgementOf: (reference) => judgements.get(reference),
    open: core.openRepository,
    onRequest: () => {
      requests += 1;
    },
    signal: AbortSignal.timeout(10_000),
    ...more,
  });
};

const statusOf = async (reference: string, imageId: string | null) => {
  const { drift } = await driftOf([podOf('cart-1', reference, imageId)]);
  return drift.map(({ status, message }) => `${status}: ${message}`);
};

describe('a container', () => {
  const MOVED =
    'drifted: the node runs another image than the tag stands for now: the tag has moved since the container started';
  const OTHER_DIGEST =
    'drifted: the node runs another image than the one that the digest of the reference names';

  it.each([
    ['containerd', (digest: string) => `docker.io/istio/proxyv2@${digest}`],
    ['containerd, of a loaded image', (digest: string) => digest],
    ['CRI-O', (digest: string) => `quay.io/istio/proxyv2@${digest}`],
    ['Docker', (digest: string) => `docker-pullable://istio/proxyv2@${digest}`],
    ['Docker, of a loaded image', (digest: string) => `docker://${digest}`],
  ])('that runs another image than the tag stands for has drifted (%s)', async (_, form) => {
    const { byTag } = mirror.add({ image: INDEX });
    expect(await statusOf(byTag, form(OTHER))).toEqual([MOVED]);
  });

  it.each([
    ['by tag', 'byTag' as const],
    ['by digest', 'byDigest' as const],
  ])(
    'is not known by an ID of CRI-O’s storage that is no configuration (%s): it may be pulled in parts',
    async (_, form) => {
      const reference = mirror.add({ image: form === 'byTag' ? INDEX : platform('amd64') })[form];
      expect(await statusOf(reference, OTHER.slice('sha256:'.length))).toEqual([
        'unknown: the image ID is that of the node’s storage, which is the digest of no configuration if the image was pulled in parts',
      ]);
    },
  );

  it.each([
    ['no form that is known', 'unheard-of://1', 'the image ID has no form that is known'],
    ['markup', '<script>alert(1)</script>', 'the image ID has no form that is known'],
    ['nothing', null, 'the node reports no image ID'],
  ])('whose image ID is %s is not known', async (_, imageId, message) => {
    const { byTag } = mirror.add({ image: INDEX });
    expect(await statusOf(byTag, imageId)).toEqual([`unknown: ${message}`]);
    expect(requests).toBe(0);
  });

  it('that runs another image than its digest names has drifted', async () => {
    const { byDigest } = mirror.add({ image: INDEX });
    expect(await statusOf(byDigest, `docker.io/istio/proxyv2@${OTHER}`)).toEqual([OTHER_DIGEST]);
  });

  it('that runs another platform than the one its digest names has drifted', async () => {
    const { byDigest } = mirror.add({ image: platform('amd64') });
    push(mirror.registry, 'istio/proxyv2', platform('arm64'), 'arm');
    expect(await statusOf(byDigest, `docker.io/istio/proxyv2@${ARM64}`)).toEqual([OTHER_DIGEST]);
    expect(await statusOf(byDigest, ARM64_CONFIG)).toEqual([OTHER_DIGEST]);
  });

  it('whose image cannot be verified now is not known, and nothing is read', async () => {
    const { byTag } = mirror.add({ image: INDEX });
    mirror.registry.fault = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    expect(await statusOf(byTag, `docker.io/istio/proxyv2@${OTHER}`)).toEqual([
      'unknown: not compared: the image could not be verified (registry-unavailable)',
    ]);
    expect(requests).toBe(0);
  });

  it('is not known if the registry fails while it is compared', async () => {
    const { byTag, byDigest } = mirror.add({ image: INDEX });
    await core.judge.judge(byTag, AbortSignal.timeout(10_000));
    await core.judge.judge(byDigest, AbortSignal.timeout(10_000));
    mirror.registry.fault = (_, response) => {
      response.writeHead(500).end();
      return true;
    };
    const [answer] = await statusOf(byDigest, AMD64_CONFIG);
    expect(answer).toMatch(/^unknown: the verified manifest could not be read: .*500/);
  });

  it('is not known if the configuration of a platform cannot be read', async () => {
    const index = indexWith(PLATFORMS);
    const { byTag } = mirror.add({ image: { ...index, children: [] } });
    expect(await statusOf(byTag, OTHER)).toEqual([
      'unknown: not every configuration of it could be read: the repository lacks the manifest of a platform',
    ]);
  });

  it.each([
    ['the index', `docker.io/istio/proxyv2@${INDEX.digest}`, 0],
    ['the manifest of a platform', `docker.io/istio/proxyv2@${AMD64}`, 1],
    ['the manifest of the other platform', `docker-pullable://istio/proxyv2@${ARM64}`, 1],
    ['the configuration of a platform', AMD64_CONFIG, 3],
    ['the configuration of the other platform', ARM64_CONFIG.slice('sha256:'.length), 3],
    ['the configuration of a platform, in Docker', `docker://${ARM64_CONFIG}`, 3],
    ['the index by its digest alone, in Docker', `docker://${INDEX.digest}`, 0],
  ])('that runs %s of a verified index has not drifted', async (_, imageId, most) => {
    const { byTag } = mirror.add({ image: INDEX });
    expect(await statusOf(byTag, imageId)).toEqual([]);
    expect(requests).toBeLessThanOrEqual(most);
  });

  it('that runs the index of the manifest that is named has not drifted', async () => {
    const { byDigest } = mirror.add({ image: platform('amd64') });
    push(mirror.registry, 'istio/proxyv2', INDEX, 'index');
    expect(await statusOf(byDigest, `docker.io/istio/proxyv2@${INDEX.digest}`)).toEqual([]);
    expect(
      await statusOf(byDigest, `docker.io/istio/proxyv2@${indexWith([platform('arm64')]).digest}`),
    ).toEqual([OTHER_DIGEST]);
  });

  it.each([
    ['unsigned', false],
    ['somebody else’s', undefined],
  ])('with an image that is %s is named elsewhere', async (_, by) => {
    const { byTag } = mirror.add({ by: false });
    const reference = by === undefined ? 'docker.io/library/nginx:1' : byTag;
    expect(await statusOf(reference, `docker.io/library/nginx@${OTHER}`)).toEqual([]);
  });
});

it('asks no host that a status names', async () => {
  const { byDigest } = mirror.add({ image: platform('amd64') });
  const stranger = await startMirror();
  await statusOf(byDigest, `${stranger.registry.host}/istio/proxyv2@${OTHER}`);
  expect(stranger.registry.requests).toEqual([]);
  await stranger.registry.close();
});

it('sends at most seven requests for a digest, with those of its verification, however many image IDs there are', async () => {
  const { byTag } = mirror.add({ image: INDEX });
  mirror.registry.clearRequests();
  const pods = Array.from({ length: 50 }, (_, at) => podOf(`cart-${at}`, byTag, digestOf(`image ${at}`)));
  const { drift, drifted, unknown } = await driftOf(pods);
  expect(drift).toHaveLength(50);
  expect(drifted + unknown).toBe(50);
  expect(mirror.registry.requests.length).toBeLessThanOrEqual(7);
});

it('counts what it does not list, and names the containers of one owner once', async () => {
  const { byTag } = mirror.add({ image: INDEX });
  const drifted = `docker.io/istio/proxyv2@${OTHER}`;
  const pods = Array.from({ length: 20 }, (_, at) => podOf(`cart-${at}`, byTag, drifted));
  const result = await driftOf([...pods, podOf('cart-x', byTag, '\u001b[31mred')], {
    maxRows: 1,
    omitted: 3,
  });
  expect(result).toMatchObject({
    drift: [
      { status: 'drifted', pods: 20, running: drifted, verified: INDEX.digest, owner: 'Deployment/cart' },
    ],
    drifted: 20,
    unknown: 1,
    cut: [
      '3 containers were not compared to what is verified: too many are different',
      '1 rows of drift are counted and not listed',
    ],
  });
  expect(result.drift[0]?.podNames).toEqual(['cart-0', 'cart-1', 'cart-2', 'cart-3', 'cart-4']);
});

it('prints nothing of an image ID that a terminal would obey', async () => {
  const { byTag } = mirror.add({ image: INDEX });
  const { drift } = await driftOf([podOf('cart-1', byTag, `\u001b[2J\u202e${'x'.repeat(10_000)}`)]);
  expect(drift[0]?.running).toMatch(/^[\x20-\x7e…]{1,300}$/);
});

it('holds a bounded number of different containers', () => {
  const collector = createDriftCollector({ isIstio: () => true, maxUses: 10 });
  for (let at = 0; at < 25; at += 1)
    collector.add(podOf(`cart-${at}`, 'docker.io/istio/proxyv2:1.28.0', `${at}`));
  expect([collector.uses().length, collector.omitted()]).toEqual([10, 15]);
});
