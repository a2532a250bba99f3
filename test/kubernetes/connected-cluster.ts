import { afterEach } from 'vitest';
import { type Cluster, type ClusterOptions, openCluster } from '../../src/kubernetes/index.ts';
import { startCluster, type TestCluster } from '../support/cluster-server.ts';

/*
 * An API server on loopback, and a connected client.
 */

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** Starts a server and connects to it. Both are closed when the test ends. */
export const startAndConnect = async (
  options: ClusterOptions = {},
): Promise<{ readonly server: TestCluster; readonly cluster: Cluster }> => {
  const server = await startCluster();
  opened.push(() => server.close());
  return { server, cluster: await connectTo(server, options) };
};

/** Connects another client to the same API server. */
export const connectTo = async (server: TestCluster, options: ClusterOptions = {}): Promise<Cluster> => {
  const cluster = await openCluster({ kubeconfig: server.kubeconfig(), ...options });
  opened.push(() => cluster.close());
  return cluster;
};

/** A signal that aborts after a time that suffices for any request on loopback. */
export const testDeadline = (milliseconds = 5_000): AbortSignal => AbortSignal.timeout(milliseconds);
