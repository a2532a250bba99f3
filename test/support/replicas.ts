import { onTestFinished } from 'vitest';
import { openCluster } from '../../src/kubernetes/index.ts';
import { configMapPath, startCluster, type TestCluster } from './cluster-server.ts';
import { type InProcessWebhook, startInProcessWebhook } from './in-process-webhook.ts';
import { type Mirror, startMirror } from './mirror.ts';

/*
 * Replicas of the webhook that share evidence in the ConfigMaps of one API server.
 */

const NAMESPACE = 'sailmark';
export const TAGS = configMapPath(NAMESPACE, 'evidence-tags');
export const IMAGES = [0, 1].map((index) => configMapPath(NAMESPACE, `evidence-${index}`));
const ALL = [TAGS, ...IMAGES];

export interface Replicas {
  readonly mirror: Mirror;
  readonly server: TestCluster;
  /** Starts another replica. */
  start(configuration?: object): Promise<InProcessWebhook>;
  /** The texts in the ConfigMaps, by key. */
  stored(paths?: readonly string[]): Readonly<Record<string, string>>;
  /** Creates the ConfigMaps as the chart does: without data. */
  create(): void;
}

const nameOf = (path: string): string => path.split('/').at(-1) ?? '';

/** Starts a mirror and an API server that holds the ConfigMaps. */
export const startReplicas = async (): Promise<Replicas> => {
  const mirror = await startMirror();
  const server = await startCluster();
  const create = (): void => {
    for (const path of ALL) server.put(path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} });
  };
  create();
  onTestFinished(async () => {
    await server.close();
    await mirror.registry.close();
  });
  return {
    mirror,
    server,
    create,
    async start(configuration = {}) {
      const cluster = await openCluster({ kubeconfig: server.kubeconfig(), requestTimeout: 2000 });
      onTestFinished(() => cluster.close());
      const open = (path: string) => cluster.configMap(NAMESPACE, nameOf(path));
      return startInProcessWebhook(
        { ...mirror.configuration, ...configuration },
        { sharedEvidence: { tags: open(TAGS), images: IMAGES.map(open) } },
      );
    },
    stored: (paths = ALL) =>
      Object.assign({}, ...paths.map((path) => server.get(path)?.['data'] ?? {})) as Record<string, string>,
  };
};
