import type { ScannedOwner, ScanResult } from '../../../src/scan/index.ts';
import type { PublishDependencies } from '../../../src/scan/publish/index.ts';
import { startAndConnect, testDeadline } from '../../kubernetes/connected-cluster.ts';
import type { Json, TestCluster } from '../../support/cluster-server.ts';
import { exampleScan } from '../../support/example-scan.ts';

/*
 * A cluster with or without the API groups of reports, and results to publish to it.
 */

export const NOW = Date.UTC(2026, 10, 30, 9, 0, 5);

const GROUPS = {
  'openreports.io': { version: 'v1alpha1', plural: 'reports' },
  'wgpolicyk8s.io': { version: 'v1alpha2', plural: 'policyreports' },
} as const;
export type Group = keyof typeof GROUPS;

/** Installs a group of reports, by default in the version that sailmark writes. */
export const installGroup = (
  server: TestCluster,
  group: Group,
  version: string = GROUPS[group].version,
): void => {
  server.put(`/apis/${group}`, {
    kind: 'APIGroup',
    versions: [{ version, groupVersion: `${group}/${version}` }],
  });
  server.put(`/apis/${group}/${version}`, {
    kind: 'APIResourceList',
    resources: [{ name: GROUPS[group].plural, namespaced: true }],
  });
};

/** The path of a report. */
export const reportPath = (group: Group, namespace: string, name: string): string =>
  `/apis/${group}/${GROUPS[group].version}/namespaces/${namespace}/${GROUPS[group].plural}/${name}`;

/** Starts a cluster with these groups, and returns what publishing needs. */
export const startPublishing = async (
  ...groups: readonly Group[]
): Promise<{ readonly server: TestCluster; readonly dependencies: PublishDependencies }> => {
  const { server, cluster } = await startAndConnect();
  for (const group of groups) installGroup(server, group);
  return {
    server,
    dependencies: {
      cluster,
      page: async (result) => `<!doctype html><title>${result.images.length} images</title>`,
      now: () => NOW,
      instance: 'sailmark-scan-1',
      signal: testDeadline(20_000),
    },
  };
};

/** The requests that write. */
export const writesOf = ({ requests }: TestCluster): readonly string[] =>
  requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);

/** A result that saw everything. */
export const wholeScan = (more: Partial<ScanResult> = {}): ScanResult =>
  exampleScan({ coverage: { resources: [], notSeen: [], cut: [] }, ...more });

/** An owner with one finding. */
export const ownerNamed = (name: string, more: Partial<ScannedOwner> = {}): ScannedOwner => ({
  ...(exampleScan().owners[0] as ScannedOwner),
  name,
  uid: `uid-of-${name}`,
  ...more,
});

export const metadataOf = (object: Json | undefined): Json => (object?.['metadata'] ?? {}) as Json;
