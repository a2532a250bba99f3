import type { KubernetesObject } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE } from './cluster.ts';

/*
 * Helm commands as a user runs them, and attempts to create pods.
 */

const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/sailmark';
/** Part of the refusal of an image without a signature. */
export const OUR_REFUSAL = 'no signature was found (signature-missing)';

/** Returns a pod with one container. */
export const pod = (
  namespace: string,
  name: string,
  image: string,
  container = 'istio-proxy',
): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { containers: [{ name: container, image }] },
});

/** Tries to create a pod with a dry run. Resolves with `starts`, or with the reason for the refusal. */
export const tryPod = async ({ api }: Cluster, ...what: Parameters<typeof pod>): Promise<string> => {
  const { status, body } = await api.tryCreate(pod(...what), '?dryRun=All');
  return status === 201 ? 'starts' : (body as { readonly message: string }).message;
};

/** Runs `helm COMMAND sailmark CHART` with the cluster's values and these. Waits only if a flag says so. */
export const helm = async (
  cluster: Cluster,
  command: string,
  chart: string,
  values: object,
  ...flags: string[]
) =>
  cluster.helm(
    command,
    'sailmark',
    chart,
    '--namespace',
    NAMESPACE,
    '--values',
    await cluster.writeValues(cluster.values),
    '--values',
    await cluster.writeValues(values),
    ...flags,
  );

/** Runs `helm uninstall` and waits until everything is gone. */
export const uninstall = (cluster: Cluster): Promise<string> =>
  cluster.helm('uninstall', 'sailmark', '--namespace', NAMESPACE, '--wait', '--timeout', '60s');

/** Resolves with the milliseconds from the creation of the webhook configuration until the first correct refusal. */
export const measureWindow = async (cluster: Cluster, unsigned: string): Promise<number> => {
  const at = async (what: string, is: () => Promise<boolean>): Promise<number> => {
    await until(what, is, { every: 5, seconds: 90 });
    return Date.now();
  };
  const began = await at(
    'a webhook configuration',
    async () => (await cluster.api.find(WEBHOOKS)) !== undefined,
  );
  const ended = await at('a right answer', async () =>
    (await tryPod(cluster, 'shop', 'window', unsigned)).includes(OUR_REFUSAL),
  );
  return ended - began;
};

/** References to images of sidecars. */
export interface Images {
  readonly signed: string;
  readonly unsigned: string;
}

/** Creates the namespaces of the tests and publishes the two images of sidecars. */
export const startShop = async (cluster: Cluster): Promise<Images> => {
  for (const namespace of ['shop', 'istio-system', 'team']) await cluster.createNamespace(namespace);
  return {
    signed: cluster.publish('proxyv2', '1.24.0'),
    unsigned: cluster.publish('proxyv2', '1.24.1', { signed: false }),
  };
};
