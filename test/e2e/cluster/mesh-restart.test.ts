import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageIndex } from '../../support/signing-kit.ts';
import type { Pod } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { provenTags, pullEvidence } from './evidence-volume.ts';
import { podsIn, reviewsIn, untilCalled } from './observations.ts';

/*
 * A deadlock that must not happen: the registry waits for the mesh (its own pod has a sidecar), the mesh waits for the
 * webhook, and the webhook for the registry. Here the registry accepts connections and never responds until every pod
 * that it needs exists. The nodes lose power and every pod is deleted: the real controllers create them again. The
 * simulated kubelet runs only the release's own pods.
 */

interface Part {
  readonly kind: 'Deployment' | 'DaemonSet';
  readonly name: string;
  readonly namespace: string;
  readonly container: string;
  /** The last part of the name of Istio's image. */
  readonly image: string;
}

/** The workloads that must run before the registry can. */
const PARTS: readonly Part[] = [
  {
    kind: 'DaemonSet',
    name: 'ztunnel',
    namespace: 'istio-system',
    container: 'istio-proxy',
    image: 'ztunnel',
  },
  {
    kind: 'DaemonSet',
    name: 'istio-cni',
    namespace: 'istio-cni',
    container: 'install-cni',
    image: 'install-cni',
  },
  { kind: 'Deployment', name: 'istiod', namespace: 'istio-system', container: 'discovery', image: 'pilot' },
  { kind: 'Deployment', name: 'registry', namespace: 'registry', container: 'istio-proxy', image: 'proxyv2' },
];
const PULLED = '1.24.0';
const KEPT = '1.25.0';
/** Tags of other sidecars that both replicas verify at the same time. */
const OTHERS = Array.from({ length: 20 }, (_, place) => `1.24.${place + 1}`);
const NAMESPACES = ['istio-system', 'istio-cni', 'registry'];
const MESH = ['istio-system', 'istio-cni'];

describe('everything is restarted at once while the only registry waits for the mesh', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of NAMESPACES) await cluster.createNamespace(namespace);
  });
  afterAll(() => cluster?.stop());

  const byDigest = ({ image }: Part): string =>
    `docker.io/istio/${image}@${imageIndex(`${image} ${PULLED}`).digest}`;
  const byTag = ({ image }: Part): string => `docker.io/istio/${image}:${KEPT}`;
  const pinned = (part: Part): string => `${byTag(part)}@${imageIndex(`${part.image} ${KEPT}`).digest}`;
  const workloadOf = ({ kind, name, namespace, container }: Part, image: string) => {
    const labels = { app: name };
    return {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: container, image }] } },
      },
    };
  };
  const hang = (): void => {
    cluster.registry.fault = () => true;
  };
  const deletePods = async (namespaces: readonly string[]): Promise<void> => {
    for (const namespace of namespaces)
      for (const { metadata } of await podsIn(cluster, namespace))
        await cluster.api.remove(`/api/v1/namespaces/${namespace}/pods/${metadata.name}`);
  };
  const restartEverything = async (): Promise<void> => {
    await cluster.kubelet.cutPower();
    await deletePods([NAMESPACE, ...NAMESPACES]);
    await cluster.kubelet.restorePower();
    await untilCalled(cluster, await cluster.kubelet.untilReady(2));
  };
  /** Waits until every part has a pod with one of these images. Resolves with the pods. */
  const untilMade = (...imagesOf: readonly ((part: Part) => string)[]): Promise<readonly Pod[]> =>
    until(
      'a pod of every part',
      async () => {
        const all = await Promise.all(
          PARTS.map(async (part) => {
            const pods = await podsIn(cluster, part.namespace, `app=${part.name}`);
            const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
            const images = imagesOf.map((imageOf) => imageOf(part));
            return alive.find(({ spec }) => images.includes(spec.containers[0]?.image ?? ''));
          }),
        );
        const made = all.filter((pod) => pod !== undefined);
        return made.length === PARTS.length ? made : undefined;
      },
      { seconds: 60 },
    );
  /**
   * Resolves with the webhook's verdict on each pod. That there is one proves that the API server did not fail open.
   */
  const verdictsOf = (pods: readonly Pod[]): Promise<readonly string[]> =>
    until('a verdict on every pod', async () => {
      const reviews = cluster.kubelet.pods().flatMap(reviewsIn);
      const verdicts = pods.map(
        ({ metadata }) =>
          reviews.find(({ name, namespace }) => name === metadata.name && namespace === metadata.namespace)
            ?.verdict,
      );
      const known = verdicts.filter((verdict) => verdict !== undefined);
      return known.length === pods.length && known;
    });
  const create = async (name: string, namespace: string, image: string) => {
    const { status, body } = await cluster.api.tryCreate({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { containers: [{ name: 'istio-proxy', image }] },
    });
    const { message = '' } = body as { readonly message?: string };
    return { status, message };
  };

  it('ztunnel, install-cni, istiod and the registry’s own sidecar pod start by digest, from evidence that was pulled', async () => {
    for (const { image } of PARTS) cluster.publish(image, PULLED);
    const unknown = cluster.publish('proxyv2', '1.23.0');
    const evidence = await pullEvidence(
      cluster,
      PARTS.map(({ image }) => `docker.io/istio/${image}:${PULLED}`),
    );
    await cluster.api.create(evidence.object);
    await cluster.api.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'kept', namespace: NAMESPACE },
      spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
    });
    hang();
    cluster.registry.clearRequests();
    await cluster.install({
      mode: 'enforce',
      evidence: {
        read: { pulled: evidence.volume },
        write: { kind: 'persistentVolumeClaim', persistentVolumeClaim: { existingClaim: 'kept' } },
      },
    });
    for (const part of PARTS) await cluster.api.create(workloadOf(part, byDigest(part)));
    await restartEverything();
    await untilMade(byDigest);
    // Critical namespaces fail open while no replica runs. Now their pods are judged.
    await deletePods(NAMESPACES);
    const made = await untilMade(byDigest);
    expect(await verdictsOf(made)).toEqual(PARTS.map(() => 'allow'));
    expect(cluster.registry.requests).toEqual([]);
    expect(await create('unknown', 'registry', unknown)).toEqual({
      status: 403,
      message: expect.stringContaining('docker.io/istio/proxyv2:1.23.0') as string,
    });
    cluster.registry.fault = undefined;
    await until('the registry’s answers count again', async () => {
      const { status } = await create('known', 'registry', unknown);
      return status === 201;
    });
  });

  it('they start by tag, pinned, from what the replicas kept', async () => {
    for (const { image } of PARTS) cluster.publish(image, KEPT);
    const others = OTHERS.map((tag) => cluster.publish('proxyv2', tag));
    for (const part of PARTS) {
      const { kind, namespace, name } = part;
      const plural = kind === 'Deployment' ? 'deployments' : 'daemonsets';
      const { spec } = workloadOf(part, byTag(part));
      await cluster.api.patch(
        `/apis/apps/v1/namespaces/${namespace}/${plural}/${name}`,
        { spec: { template: spec.template } },
        'strategic-merge',
      );
    }
    await deletePods(MESH);
    await untilMade(pinned);
    const first = await Promise.all(
      others.map((image, place) => create(`other-${place}`, 'registry', image)),
    );
    expect(first.filter(({ status }) => status !== 201)).toEqual([]);
    const wanted = [...PARTS.map(byTag), ...others];
    await until('the last digest of every tag, and its signature, in the volume', async () => {
      const [life] = cluster.kubelet.pods();
      const proven = life && (await provenTags(life));
      return wanted.every((image) => proven?.has(image));
    });
    hang();
    await restartEverything();
    // Critical namespaces fail open while no replica runs: their pods are not pinned.
    await untilMade(byTag, pinned);
    await deletePods(NAMESPACES);
    // Pinned to the digest that the tag last stood for, which is proven by what was kept.
    const made = await untilMade(pinned);
    expect(await verdictsOf(made)).toEqual(PARTS.map(() => 'allow'));
    const again = await Promise.all(
      others.map((image, place) => create(`again-${place}`, 'registry', image)),
    );
    expect(again.filter(({ status }) => status !== 201)).toEqual([]);
  });
});
