import { afterEach } from 'vitest';
import { type Cluster, type ClusterOptions, openCluster } from '../../src/kubernetes/index.ts';
import { startCluster, type TestCluster } from '../support/cluster-server.ts';

/*
 * An API server that listens on loopback and someone who asks it.
 */

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** Both are closed at the end of the test. */
export const startAndConnect = async (
  options: ClusterOptions = {},
): Promise<{ readonly server: TestCluster; readonly cluster: Cluster }> => {
  const server = await startCluster();
  opened.push(() => server.close());
  return { server, cluster: await connectTo(server, options) };
};

/** One more who asks the same API server. */
export const connectTo = async (server: TestCluster, options: ClusterOptions = {}): Promise<Cluster> => {
  const cluster = await openCluster({ kubeconfig: server.kubeconfig(), ...options });
  opened.push(() => cluster.close());
  return cluster;
};

/** Time enough for anything on loopback. */
export const testDeadline = (milliseconds = 5_000): AbortSignal => AbortSignal.timeout(milliseconds);
