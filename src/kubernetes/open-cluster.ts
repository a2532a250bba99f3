import { createCallApi } from './api.ts';
import { createSetCaBundle } from './ca-bundle.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';
import { createPodImages } from './pod-images.ts';
import { createPullSecrets } from './pull-secrets.ts';
import { createSecrets } from './secrets.ts';
import { createWriteEvent } from './write-event.ts';

const REQUEST_TIMEOUT = 10_000;
const REFRESH = 60_000;

/**
 * Opens the way to the API server of a cluster; nothing is asked of it yet. Loads the Kubernetes client, which nobody
 * pays for who has no cluster. Rejects where nothing says where the API server is.
 */
export const openCluster = async (options: ClusterOptions): Promise<Cluster> => {
  const { kubeconfig, requestTimeout = REQUEST_TIMEOUT, refresh = REFRESH } = options;
  const { createApiConnection } = await import('./api-connection.ts');
  const wire = createApiConnection(kubeconfig);
  const ask = createCallApi(wire, requestTimeout);
  const secrets = createSecrets(ask);
  const pullSecrets = createPullSecrets(secrets.readSecret, refresh, () => performance.now());
  return {
    ...secrets,
    find: pullSecrets.find,
    setCaBundle: createSetCaBundle(ask),
    podImages: createPodImages(ask),
    writeEvent: createWriteEvent(ask),
    async close() {
      pullSecrets.stop();
      await wire.close();
    },
  };
};
