import { until } from '../control-plane/until.ts';
import type { Cluster } from './cluster.ts';

/* Pods with a sidecar of Istio's: if they can be created, and what they are stored with. */

export interface Sidecars {
  /** Creates a Deployment of a pod with a sidecar. Its pods are replaced by deleting them first: none ever gets ready. */
  createDeployment(namespace: string, name: string, image: string): Promise<void>;
  /** Waits until the Deployment has a pod. */
  untilPod(namespace: string, name: string): Promise<unknown>;
  /** Reports whether a pod with the unsigned sidecar can be created in a namespace. */
  starts(namespace: string): Promise<boolean>;
  /** Waits until a pod with the unsigned sidecar can, or cannot, be created in each of these namespaces. */
  untilStarts(expected: boolean, ...namespaces: readonly string[]): Promise<unknown>;
  /** Reports whether a pod with the signed sidecar is stored with its digest. */
  isPinned(namespace: string): Promise<boolean>;
}

/** Tries pods with an unsigned sidecar, and with a signed one. */
export const trySidecars = (
  cluster: Cluster,
  { unsigned, signed }: { readonly unsigned: string; readonly signed: string },
): Sidecars => {
  let made = 0;
  /** Creates a pod by itself, and deletes it again if it was created. Resolves with the image that it was stored with. */
  const tryPod = async (namespace: string, image: string): Promise<string | undefined> => {
    made += 1;
    const name = `pod-${made}`;
    const { status, body } = await cluster.api.tryCreate({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { containers: [{ name: 'istio-proxy', image }] },
    });
    if (status !== 201) return undefined;
    await cluster.api.remove(`/api/v1/namespaces/${namespace}/pods/${name}`);
    const { spec } = body as {
      readonly spec: { readonly containers: readonly [{ readonly image: string }] };
    };
    return spec.containers[0].image;
  };
  const starts: Sidecars['starts'] = async (namespace) => (await tryPod(namespace, unsigned)) !== undefined;
  return {
    async createDeployment(namespace, name, image) {
      const labels = { app: name };
      await cluster.api.create({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace },
        spec: {
          replicas: 1,
          strategy: { type: 'Recreate' },
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'istio-proxy', image }] } },
        },
      });
    },
    untilPod: (namespace, name) =>
      until(`${namespace}/${name} has a pod`, async () => {
        const { stdout } = await cluster.kubectl(
          'get',
          'pods',
          '-n',
          namespace,
          '-l',
          `app=${name}`,
          '-o',
          'name',
        );
        return stdout !== '';
      }),
    starts,
    untilStarts: (expected, ...namespaces) =>
      until(`unsigned pods ${expected ? 'start' : 'are refused'} in ${namespaces.join(', ')}`, async () => {
        const seen = await Promise.all(namespaces.map(starts));
        return seen.every((one) => one === expected);
      }),
    isPinned: async (namespace) =>
      (await tryPod(namespace, signed))?.startsWith(`${signed}@sha256:`) ?? false,
  };
};
