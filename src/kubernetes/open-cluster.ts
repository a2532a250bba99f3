import { createSetCaBundle } from './ca-bundle.ts';
import { createCallApi } from './call-api.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';
import { createConfigMaps } from './config-maps.ts';
import { createKeptObjects } from './kept-files.ts';
import { createPodImages } from './pod-images.ts';
import { createPullSecrets } from './pull-secrets.ts';
import { createReadApi } from './read-api.ts';
import { createSecrets } from './secrets.ts';
import { createWatchApi } from './watch-api.ts';
import { createWebhookObjects } from './webhook-entries.ts';
import { createWriteEvent } from './write-event.ts';
import { createObjectWriter } from './write-objects.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const PULL_SECRET_REFRESH_MS = 60_000;

/**
 * Opens a cluster without sending a request yet. Loads the Kubernetes client, which is not needed without a cluster.
 * Rejects if the address of the API server is not known.
 */
export const openCluster = async (options: ClusterOptions): Promise<Cluster> => {
  const {
    kubeconfig,
    requestTimeout = REQUEST_TIMEOUT_MS,
    refresh = PULL_SECRET_REFRESH_MS,
    userAgent = 'sailmark',
    env = {},
    collectGarbage,
  } = options;
  const { createApiConnection } = await import('./api-connection.ts');
  const connection = createApiConnection({ kubeconfig, userAgent, env });
  const closing = new AbortController();
  const callApi = createCallApi(connection, requestTimeout, closing.signal, collectGarbage);
  const readApi = createReadApi(callApi);
  const secrets = createSecrets(callApi);
  const watchApi = createWatchApi(connection, closing.signal);
  const pullSecrets = createPullSecrets(secrets.readSecret, refresh, () => performance.now());
  return {
    ...readApi,
    ...secrets,
    requestCount: connection.requestCount,
    find: pullSecrets.find,
    configMap: createConfigMaps(callApi, watchApi),
    keptFiles: createKeptObjects(callApi),
    webhooks: createWebhookObjects(callApi, watchApi),
    setCaBundle: createSetCaBundle(callApi),
    podImages: createPodImages(readApi.list),
    writeEvent: createWriteEvent(callApi),
    ...createObjectWriter(callApi),
    async close() {
      pullSecrets.stop();
      closing.abort();
      await connection.close();
    },
  };
};
