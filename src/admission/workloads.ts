/** A Kubernetes resource that contains a pod spec. */
export interface Workload {
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
  /** The path of the pod spec: `['spec', 'template', 'spec']`. */
  readonly podSpec: readonly string[];
  /** A template only warns; the Pods created from it are reviewed again. */
  readonly holds: 'pod' | 'template';
}

const template = (
  group: string,
  resource: string,
  kind: string,
  ...podSpec: readonly string[]
): Workload => ({
  group,
  resource,
  kind,
  podSpec,
  holds: 'template',
});

/** Every resource with a pod spec: Kubernetes' own (a test checks them against its model) and OpenShift's. */
export const workloads: readonly Workload[] = [
  { group: '', resource: 'pods', kind: 'Pod', podSpec: ['spec'], holds: 'pod' },
  template('', 'podtemplates', 'PodTemplate', 'template', 'spec'),
  template('', 'replicationcontrollers', 'ReplicationController', 'spec', 'template', 'spec'),
  template('apps', 'deployments', 'Deployment', 'spec', 'template', 'spec'),
  template('apps', 'replicasets', 'ReplicaSet', 'spec', 'template', 'spec'),
  template('apps', 'statefulsets', 'StatefulSet', 'spec', 'template', 'spec'),
  template('apps', 'daemonsets', 'DaemonSet', 'spec', 'template', 'spec'),
  template('batch', 'jobs', 'Job', 'spec', 'template', 'spec'),
  template('batch', 'cronjobs', 'CronJob', 'spec', 'jobTemplate', 'spec', 'template', 'spec'),
  template('apps.openshift.io', 'deploymentconfigs', 'DeploymentConfig', 'spec', 'template', 'spec'),
];

const BY_RESOURCE: ReadonlyMap<string, Workload> = new Map(
  workloads.map((workload) => [`${workload.group}/${workload.resource}`, workload]),
);

/** Finds the workload of a resource (`apps`, `deployments`) in any version; undefined if it has no pod spec. */
export const findWorkload = (group: string, resource: string): Workload | undefined =>
  BY_RESOURCE.get(`${group}/${resource}`);
