export type {
  Cluster,
  ClusterOptions,
  ListOptions,
  SecretData,
  ServedResources,
  WebhookConfiguration,
} from './cluster.ts';
export { ClusterFault } from './cluster-fault.ts';
export type { KeptFiles, KeptObject } from './kept-files.ts';
export { type Kubeconfig, loadKubeconfig } from './kubeconfig/index.ts';
export { openCluster } from './open-cluster.ts';
export type { WebhookEntries, WebhookEntry, WebhookObject } from './webhook-entries.ts';
export { isTerminating, type ObjectVersion } from './write-objects.ts';
