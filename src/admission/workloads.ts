/** A resource of Kubernetes that holds a pod's specification, and where. */
export interface Workload {
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
  /** `['spec', 'template', 'spec']`. */
  readonly podSpec: readonly string[];
  /** A template's verdicts are warnings; the Pod made of it is the gate. */
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

/** Every kind that holds a pod's specification: Kubernetes' own (held to its model by a test) and OpenShift's. */
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

/** The workload of a resource (`apps`, `deployments`), whatever its version; undefined: it holds no pod. */
export const findWorkload = (group: string, resource: string): Workload | undefined =>
  BY_RESOURCE.get(`${group}/${resource}`);
