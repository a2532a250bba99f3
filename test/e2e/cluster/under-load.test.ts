import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../support/signing-kit.ts';
import type { PodLife } from '../control-plane/kubelet/pod-life.ts';
import { sumOf } from '../control-plane/metrics.ts';
import { until } from '../control-plane/until.ts';
import { type Call, type Load, startLoad, type Tally } from './load.ts';
import { callsLost, certificateOf, metricsOf, trustedBy } from './looks.ts';
import { createClients, createTraffic, type Expectations } from './traffic.ts';
import { NAMESPACE, startWorld, type World } from './world.ts';

/*
 * Everything that happens to a release in its life, within minutes, while pods are created all the time: no call may fail
 * and no verdict be wrong. The kubelet is played (test/e2e/control-plane/kubelet), and with it how soon a pod that is
 * stopped or killed is told of; endpoints are the real controllers' work, and the calls are the real API server's.
 */

const PER_SECOND = 25;
const LEAST_PER_SECOND = 20;
const LEAST_SPAN = 180_000;
const NAMESPACES = ['shop', 'istio-system'];
const KEYS = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'release-keys', namespace: NAMESPACE },
};
const KEYS_PATH = `/api/v1/namespaces/${NAMESPACE}/configmaps/release-keys`;
const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;

interface EndpointSlice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

describe('two replicas, while pods are created at more than 20 a second', () => {
  const signers = { old: createSigner(), next: createSigner() };
  const expected: Expectations = { fresh: 'created', byOldKey: 'created', byNewKey: 'refused' };
  const keysOf = (...which: readonly (keyof typeof signers)[]) => ({
    'keys.jwks': JSON.stringify({
      keys: which.map((name) => signers[name].publicKey.export({ format: 'jwk' })),
    }),
  });
  const values = {
    mode: 'enforce',
    config: { keys: [{ file: '/etc/sailmark/keys/keys.jwks' }] },
    files: { keys: { configMap: { name: 'release-keys' } } },
    certificates: { self: { caLifetime: '90s', lifetime: '48s', overlap: '8s' } },
  };
  let world: World;
  let load: Load;
  let first: { readonly authorities: ReadonlySet<string>; readonly certificates: ReadonlySet<string> };
  const fingerprints = (all: readonly { readonly fingerprint256: string }[]): ReadonlySet<string> =>
    new Set(all.map(({ fingerprint256 }) => fingerprint256));
  const served = async (): Promise<ReadonlySet<string>> =>
    fingerprints(await Promise.all(world.kubelet.pods().map(certificateOf)));

  beforeAll(async () => {
    world = await startWorld();
    for (const namespace of NAMESPACES) await world.createNamespace(namespace);
    await world.api.create({ ...KEYS, data: keysOf('old') });
    await world.install(values);
    await world.kubelet.untilReady(2);
    first = { authorities: fingerprints(await trustedBy(world)), certificates: await served() };
    const clients = await createClients(world, ['one', 'two', 'three', 'four', 'five'], NAMESPACES);
    load = startLoad(clients, createTraffic(world, signers, expected), PER_SECOND);
  });
  afterAll(async () => {
    await load?.stop();
    await world?.stop();
  });

  /** Holds that no call failed, and no verdict was wrong, since the last time. */
  const expectNothingLost = (): Tally => {
    const tally = load.take();
    expect(tally).toMatchObject({ failed: [], wrong: [] });
    expect(tally.created).toBeGreaterThan(0);
    expect(tally.refused).toBeGreaterThan(0);
    return tally;
  };
  const untilLoaded = (keys: number): Promise<unknown> =>
    until(`${keys} keys in every replica`, async () => {
      const counts = await Promise.all(
        world.kubelet
          .pods()
          .map(async (life) => sumOf(await metricsOf(life), 'sailmark_keys', { state: 'loaded' })),
      );
      return counts.every((count) => count === keys);
    });

  it('loses nothing when one is stopped by SIGTERM', async () => {
    const [life] = world.kubelet.pods() as [PodLife];
    const { process } = life;
    await world.api.remove(`/api/v1/namespaces/${NAMESPACE}/pods/${life.pod.metadata.name}`, {
      gracePeriodSeconds: 60,
    });
    expect(await process?.ended).toBe(0);
    await world.kubelet.untilReady(2);
    expectNothingLost();
  });

  it('loses nothing when both are rolled', async () => {
    const before = world.kubelet.pods().map(({ pod }) => pod.metadata.uid);
    await world.kubectl('rollout', 'restart', 'deployment/sailmark', '--namespace', NAMESPACE);
    await until(
      'two other pods',
      async () => {
        const lives = world.kubelet.pods();
        return (
          lives.length === 2 && lives.every(({ ready, pod }) => ready && !before.includes(pod.metadata.uid))
        );
      },
      { seconds: 90 },
    );
    expectNothingLost();
  });

  it('loses nothing when a configuration is rolled', async () => {
    await world.upgrade({ ...values, config: { ...values.config, tagMemory: '5s' } });
    await world.kubelet.untilReady(2);
    expectNothingLost();
  });

  it('loses nothing when the certificate and its CA are rotated', async () => {
    const areNew = (now: ReadonlySet<string>, before: ReadonlySet<string>): boolean =>
      now.size > 0 && now.isDisjointFrom(before);
    await until(
      'another CA and other certificates',
      async () =>
        areNew(fingerprints(await trustedBy(world)), first.authorities) &&
        areNew(await served(), first.certificates),
      { seconds: 120, every: 500 },
    );
    expectNothingLost();
  });

  it('loses nothing when the key is rotated: what the new one signed passes, then what the old one signed no more', async () => {
    expected.byNewKey = 'either';
    await world.api.patch(KEYS_PATH, { data: keysOf('old', 'next') });
    await untilLoaded(2);
    expected.byNewKey = 'created';
    expectNothingLost();
    await until('pods signed by each of the two', async () => load.take().created > PER_SECOND);
    expected.byOldKey = 'either';
    await world.api.patch(KEYS_PATH, { data: keysOf('next') });
    await untilLoaded(1);
    expected.byOldKey = 'refused';
    await delay(0);
    expectNothingLost();
  });

  it('loses nothing when the registry stops: remembered images still pass, with a warning', async () => {
    expected.fresh = 'either';
    world.registry.fault = (request) => {
      request.socket.destroy();
      return true;
    };
    expected.fresh = 'refused';
    let warned = 0;
    await until(
      'a hundred pods by a tag that nobody answers for',
      async () => {
        warned += expectNothingLost().warned;
        return warned > 100;
      },
      { seconds: 60, every: 1000 },
    );
    expected.fresh = 'either';
    world.registry.fault = undefined;
    expectNothingLost();
  });

  it('has answered everything within three minutes: no call failed, no verdict was wrong, and the API server agrees', async () => {
    await until('three minutes', async () => load.total().span >= LEAST_SPAN, { seconds: 180, every: 500 });
    const { created, refused, failed, wrong, slowest, span } = load.total();
    const perSecond = ((created + refused) * 1000) / span;
    console.info(
      `${created} pods created and ${refused} refused in ${Math.round(span / 1000)} s, ${perSecond.toFixed(1)} a second; the slowest answer took ${slowest} ms`,
    );
    expect({ failed, wrong, ...(await callsLost(world)) }).toEqual({
      failed: [],
      wrong: [],
      errors: 0,
      failedOpen: 0,
    });
    expect(perSecond).toBeGreaterThanOrEqual(LEAST_PER_SECOND);
  });
});
