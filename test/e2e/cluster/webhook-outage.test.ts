import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { callsLost, podsIn, reviewsOfEntry, untilCalled } from './observations.ts';

/*
 * Enforce mode without any replica. The nodes of all replicas lose power, which the API server does not learn: it calls
 * addresses that nobody has. Then the pods are deleted, as a cluster does after a while: there is no endpoint to call.
 */

const ORDINARY = 'registry.example/app:1';

describe('when all replicas are away', () => {
  let cluster: Cluster;
  let signed: string;
  let unsigned: string;
  let parts: Readonly<Record<string, string>>;
  beforeAll(async () => {
    cluster = await startCluster();
    signed = cluster.publish('proxyv2', '1.24.0');
    unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
    parts = { ztunnel: cluster.publish('ztunnel', '1.24.0'), cni: cluster.publish('install-cni', '1.24.0') };
    for (const namespace of ['istio-system', 'shop']) await cluster.createNamespace(namespace);
    await cluster.install({ mode: 'enforce' });
    await cluster.kubelet.untilReady(2);
  });
  afterAll(() => cluster?.stop());

  const podOf = (namespace: string, name: string, ...images: readonly string[]): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: images.map((image, place) => ({ name: `c${place}`, image })) },
  });
  const tryPod = async (namespace: string, name: string, ...images: readonly string[]) => {
    const start = Date.now();
    const { status, body } = await cluster.api.tryCreate(podOf(namespace, name, ...images));
    const { message = '' } = body as { readonly message?: string };
    return { status, message, milliseconds: Date.now() - start };
  };
  const tryAll = async (tries: Readonly<Record<string, Promise<{ readonly status: number }>>>) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(tries).map(async ([name, trying]) => [name, (await trying).status] as const),
      ),
    );
  const unanswered = {
    status: 500,
    message: expect.stringMatching(/failed calling webhook "enforce\.sailmark\.dev": .+/) as string,
  };

  it('is there first: what is signed starts, what is not is refused', async () => {
    expect(await tryPod('shop', 'signed', ORDINARY, signed)).toMatchObject({ status: 201 });
    expect(await tryPod('shop', 'unsigned', ORDINARY, unsigned)).toMatchObject({ status: 403 });
    expect(await tryPod('istio-system', 'unsigned', unsigned)).toMatchObject({ status: 403 });
  });

  it('pods start in critical namespaces, in its own, and where they hold no image of Istio’s', async () => {
    await cluster.kubelet.cutPower();
    const { failedOpen } = await callsLost(cluster);
    const { ztunnel = '', cni = '' } = parts;
    expect(
      await tryAll({
        'istio-system': tryPod('istio-system', 'ztunnel', ztunnel),
        'kube-system': tryPod('kube-system', 'cni', cni),
        'its own': tryPod(NAMESPACE, 'of-its-own', ORDINARY, signed),
      }),
    ).toEqual({ 'istio-system': 201, 'kube-system': 201, 'its own': 201 });
    // Each pod passes two webhooks: the one that pins, and the one that judges.
    expect((await callsLost(cluster)).failedOpen).toBe(failedOpen + 3 * 2);
    await cluster.api.remove(`/api/v1/namespaces/${NAMESPACE}/pods/of-its-own`);
    const asked = await reviewsOfEntry(cluster, 'enforce');
    const ordinary = await tryPod('shop', 'ordinary', ORDINARY);
    expect(ordinary).toMatchObject({ status: 201 });
    expect(ordinary.milliseconds).toBeLessThan(3000);
    expect(await reviewsOfEntry(cluster, 'enforce')).toBe(asked);
  });

  it('Istio’s pods elsewhere are refused by the API server, signed or not', async () => {
    const [one, other] = await Promise.all([
      tryPod('shop', 'later', ORDINARY, signed),
      tryPod('shop', 'never', ORDINARY, unsigned),
    ]);
    expect(one).toMatchObject(unanswered);
    expect(other).toMatchObject(unanswered);
    const labels = { app: 'waiting' };
    await cluster.api.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'waiting', namespace: 'shop' },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'istio-proxy', image: signed }] } },
      },
    });
  });

  /** Creates two pods as soon as the replicas are back. Resolves with the outcomes. */
  const tryOnceThere = async (name: string) => {
    await untilCalled(cluster, await cluster.kubelet.untilReady(2));
    const [one, other] = [
      await tryPod('shop', `${name}-signed`, ORDINARY, signed),
      await tryPod('shop', `${name}-unsigned`, ORDINARY, unsigned),
    ];
    return { signed: one.status, unsigned: other.message };
  };
  const allIsWell = { signed: 201, unsigned: expect.stringContaining('(signature-missing)') as string };

  it('they come back without a hand, the next creation passes, and what waited is made', async () => {
    await cluster.kubelet.restorePower();
    expect(await tryOnceThere('back')).toEqual(allIsWell);
    await until(
      'the pods of the Deployment that waited',
      async () => (await podsIn(cluster, 'shop', 'app=waiting')).length === 3,
      { seconds: 60 },
    );
  });

  it('others are made in their place where they are deleted meanwhile, and come up the same way', async () => {
    const old = await podsIn(cluster, NAMESPACE);
    await cluster.kubelet.cutPower();
    for (const { metadata } of old)
      await cluster.api.remove(`/api/v1/namespaces/${NAMESPACE}/pods/${metadata.name}`);
    const gone = new Set(old.map(({ metadata }) => metadata.uid));
    await until('two other pods', async () => {
      const pods = await podsIn(cluster, NAMESPACE);
      return pods.length === 2 && pods.every(({ metadata }) => !gone.has(metadata.uid));
    });
    expect(await tryPod('shop', 'nowhere', ORDINARY, signed)).toMatchObject(unanswered);
    await cluster.kubelet.restorePower();
    expect(await tryOnceThere('others')).toEqual(allIsWell);
  });
});
