/** A kind of object that holds a pod template. */
export interface TemplateKind {
  /** The API group; empty: the core group. */
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  /** Kubernetes' own, in version v1. Others are read where discovery finds them, in the version that it prefers. */
  readonly isBuiltIn: boolean;
}

const builtIn = (group: string, plural: string, kind: string): TemplateKind => ({
  group,
  plural,
  kind,
  isBuiltIn: true,
});

const custom = (group: string, plural: string, kind: string): TemplateKind => ({
  group,
  plural,
  kind,
  isBuiltIn: false,
});

/**
 * The kinds that scan reads, beside pods. A kind comes after those whose objects own its own, so that one pass knows every
 * owner. Custom resources are those that hold pod templates in the shape of Kubernetes' own (a list of containers, at any
 * depth). Secrets are none, and must never be.
 */
export const templateKinds: readonly TemplateKind[] = [
  // Knative Serving: a Service owns Configurations, and these Revisions, whose pods are those of Deployments.
  custom('serving.knative.dev', 'services', 'Service'),
  custom('serving.knative.dev', 'configurations', 'Configuration'),
  custom('serving.knative.dev', 'revisions', 'Revision'),
  custom('argoproj.io', 'rollouts', 'Rollout'),
  custom('apps.openshift.io', 'deploymentconfigs', 'DeploymentConfig'),
  custom('apps.kruise.io', 'uniteddeployments', 'UnitedDeployment'),
  custom('apps.kruise.io', 'clonesets', 'CloneSet'),
  custom('apps.kruise.io', 'statefulsets', 'StatefulSet'),
  custom('apps.kruise.io', 'daemonsets', 'DaemonSet'),
  custom('apps.kruise.io', 'sidecarsets', 'SidecarSet'),
  custom('apps.kruise.io', 'advancedcronjobs', 'AdvancedCronJob'),
  custom('apps.kruise.io', 'broadcastjobs', 'BroadcastJob'),
  custom('keda.sh', 'scaledjobs', 'ScaledJob'),
  custom('jobset.x-k8s.io', 'jobsets', 'JobSet'),
  custom('leaderworkerset.x-k8s.io', 'leaderworkersets', 'LeaderWorkerSet'),
  custom('batch.volcano.sh', 'jobs', 'Job'),
  custom('ray.io', 'rayservices', 'RayService'),
  custom('ray.io', 'rayjobs', 'RayJob'),
  custom('ray.io', 'rayclusters', 'RayCluster'),
  custom('core.strimzi.io', 'strimzipodsets', 'StrimziPodSet'),
  builtIn('apps', 'deployments', 'Deployment'),
  builtIn('apps', 'statefulsets', 'StatefulSet'),
  builtIn('apps', 'daemonsets', 'DaemonSet'),
  builtIn('apps', 'replicasets', 'ReplicaSet'),
  builtIn('', 'replicationcontrollers', 'ReplicationController'),
  builtIn('batch', 'cronjobs', 'CronJob'),
  builtIn('batch', 'jobs', 'Job'),
  builtIn('', 'podtemplates', 'PodTemplate'),
];
