/*
 * The programs of a control plane. `.ci/control-plane` builds them, or takes them from `KUBEBUILDER_ASSETS`, and names
 * the path of each in an environment variable. A test whose program has no path fails.
 */

const VARIABLES = {
  'kube-apiserver 1.30': 'KUBE_APISERVER_1_30',
  'kube-apiserver 1.36': 'KUBE_APISERVER_1_36',
  'kube-apiserver 1.37': 'KUBE_APISERVER_1_37',
  'kube-controller-manager': 'KUBE_CONTROLLER_MANAGER',
  kubectl: 'KUBECTL',
  etcd: 'ETCD',
  helm: 'HELM',
} as const;

export type Program = keyof typeof VARIABLES;

/** Releases of the API server that tests run against: the oldest that the chart claims, the usual one, the newest. */
export type Release = '1.30' | '1.36' | '1.37';

/** Returns the path of a program. Throws if its variable is not set. */
export const programOf = (name: Program): string => {
  const variable = VARIABLES[name];
  const path = process.env[variable];
  if (path === undefined || path === '')
    throw new Error(
      `set ${variable} to the path of ${name}, or run .ci/control-plane, which builds it and sets the variable`,
    );
  return path;
};
