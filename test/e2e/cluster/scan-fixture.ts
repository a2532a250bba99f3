import { existsSync, readFileSync } from 'node:fs';
import { imageIndex } from '../../support/signing-kit.ts';
import type { ApiResponse } from '../control-plane/api.ts';
import type { KubernetesObject } from '../control-plane/objects.ts';
import type { Cluster } from './cluster.ts';

/*
 * A cluster of thousands of pods, as Istio's own tests inject them (`pods.json` beside the repository), all of whose Istio
 * images are signed; and what is planted among them.
 */

const FILE = new URL('../../../../shared/istio/pods.json', import.meta.url).pathname;

interface Container {
  readonly name: string;
  readonly image?: string | null;
}

interface PodSpec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly [field: string]: unknown;
}

export interface Pod extends KubernetesObject {
  readonly spec: PodSpec;
}

/** True if the pods of Istio's tests lie beside the repository. */
export const hasIstioPods = (): boolean => existsSync(FILE);

/** Members that only the cluster of Istio's tests has, and admission would refuse a pod for. */
const FOREIGN = ['serviceAccountName', 'serviceAccount', 'priorityClassName', 'runtimeClassName', 'nodeName'];

const isComplete = ({ spec: { initContainers = [], containers } }: Pod): boolean =>
  [...initContainers, ...containers].every(({ image }) => typeof image === 'string');

/** The containers that are injected, some of which have an image of the test's own. */
const INJECTED = ['istio-proxy', 'istio-init', 'istio-validation'];

/** The pods of Istio's tests, whose proxies have this image. Samples of Istio keep theirs. */
export const readIstioPods = (proxy: string): readonly Pod[] => {
  const withImage = (container: Container): Container =>
    INJECTED.includes(container.name) || /^registry\.istio\.io\/(?!.*examples-)/.test(container.image ?? '')
      ? { ...container, image: proxy }
      : container;
  return (JSON.parse(readFileSync(FILE, 'utf8')) as readonly { readonly pod: Pod }[])
    .map(({ pod }) => pod)
    .filter(isComplete)
    .map(({ metadata: { labels = {}, annotations = {} }, spec }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels, annotations },
      spec: {
        ...Object.fromEntries(Object.entries(spec).filter(([field]) => !FOREIGN.includes(field))),
        containers: spec.containers.map(withImage),
        ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withImage) }),
      },
    }));
};

/** Calls a function for each item, `width` at a time. */
export const inParallel = async <Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
  width = 24,
): Promise<void> => {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
};

const createOrThrow = async (cluster: Cluster, object: KubernetesObject): Promise<void> => {
  const { status, body }: ApiResponse = await cluster.api.tryCreate(object);
  if (status !== 201) throw new Error(`${object.metadata.name}: ${status} ${JSON.stringify(body)}`);
};

/** Finds the pods that the API server accepts: some of Istio's tests are about invalid ones. */
const findAccepted = async (
  cluster: Cluster,
  pods: readonly Pod[],
  namespace: string,
): Promise<readonly Pod[]> => {
  const accepted: Pod[] = [];
  await inParallel(pods, async (pod) => {
    const metadata = { ...pod.metadata, name: 'tried', namespace };
    const { status } = await cluster.api.tryCreate({ ...pod, metadata }, '?dryRun=All');
    if (status === 201) accepted.push(pod);
  });
  return accepted;
};

/** Creates `count` pods from Istio's, spread over the namespaces. Resolves with how many of Istio's were accepted. */
export const createPods = async (
  cluster: Cluster,
  pods: readonly Pod[],
  namespaces: readonly string[],
  count: number,
): Promise<number> => {
  const accepted = await findAccepted(cluster, pods, namespaces[0] ?? '');
  await inParallel(
    Array.from({ length: count }, (_, index) => index),
    (index) => {
      const pod = accepted[index % accepted.length] as Pod;
      const namespace = namespaces[index % namespaces.length] ?? '';
      return createOrThrow(cluster, {
        ...pod,
        metadata: { ...pod.metadata, name: `pod-${index}`, namespace },
      });
    },
  );
  return accepted.length;
};

/** A pod with one proxy. */
export const proxyPod = (namespace: string, name: string, image: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { containers: [{ name: 'istio-proxy', image }] },
});

/** A Deployment whose pods, which the real controllers make, have one proxy. */
export const proxyDeployment = (
  namespace: string,
  name: string,
  image: string,
  replicas: number,
): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'istio-proxy', image }] },
    },
  },
});

/** Writes the status of a pod's containers, as a kubelet does: what each runs by its `imageID`. */
export const reportRunning = async (
  cluster: Cluster,
  namespace: string,
  name: string,
  imageIdOf: (container: Container) => string,
): Promise<void> => {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const { spec } = await cluster.api.get<Pod>(path);
  const statusOf = (container: Container): object => ({
    name: container.name,
    image: container.image,
    imageID: imageIdOf(container),
    ready: true,
    restartCount: 0,
    state: { running: { startedAt: '2026-11-01T00:00:00Z' } },
  });
  await cluster.api.patch(`${path}/status`, {
    status: {
      phase: 'Running',
      containerStatuses: spec.containers.map(statusOf),
      initContainerStatuses: (spec.initContainers ?? []).map(statusOf),
    },
  });
};

/** An image's digests: of its index, of one platform, and of that platform's configuration. */
export const digestsOf = (name: string, tag: string) => {
  const index = imageIndex(`${name} ${tag}`);
  const [child] = index.children;
  const [config] = child?.blobs ?? [];
  return { index: index.digest, child: child?.digest ?? '', config: config?.digest ?? '' };
};
