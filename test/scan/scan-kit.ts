import { onTestFinished } from 'vitest';
import { openCluster } from '../../src/kubernetes/index.ts';
import { runScan, type ScanOptions, type ScanResult } from '../../src/scan/index.ts';
import type { KubernetesObject } from '../support/builders.ts';
import { startCluster, type TestCluster } from '../support/cluster-server.ts';
import { startCore, type World } from './admission-world.ts';

/** A cluster to put objects into, and a scan of it. */
export interface ScanKit {
  readonly cluster: TestCluster;
  putPods(pods: readonly KubernetesObject[]): void;
  scan(options?: Partial<ScanOptions>): Promise<ScanResult>;
}

export const startScanKit = async (world: Pick<World, 'configuration'>): Promise<ScanKit> => {
  const cluster = await startCluster();
  onTestFinished(() => cluster.close());
  cluster.put('/version', { gitVersion: 'v1.36.3' });
  const { core, config } = await startCore(world);
  const client = await openCluster({ kubeconfig: cluster.kubeconfig() });
  onTestFinished(() => client.close());
  return {
    cluster,
    putPods(pods) {
      for (const { apiVersion: _, kind: __, ...object } of pods) {
        const { namespace, name } = object.metadata;
        const metadata = { uid: `uid-of-${String(name)}`, ...object.metadata };
        cluster.put(`/api/v1/namespaces/${String(namespace)}/pods/${String(name)}`, {
          ...object,
          metadata,
        });
      }
    },
    scan: (options = {}) =>
      runScan({
        core,
        config,
        cluster: client,
        mode: 'enforce',
        pin: config.rules.pin,
        signal: new AbortController().signal,
        now: Date.now,
        timeout: 10_000,
        version: '0.1.0',
        server: cluster.origin,
        context: 'test',
        verifyFlags: [],
        onProgress: () => {},
        ...options,
      }),
  };
};
