/*
 * The parts of Kubernetes that nobody here wrote. `.ci/control-plane` builds them, or takes them from
 * `KUBEBUILDER_ASSETS`, and says where each is; one that is not there fails the test that needs it.
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

/** The path of a program. Throws where there is none. */
export const programOf = (name: Program): string => {
  const variable = VARIABLES[name];
  const path = process.env[variable];
  if (path === undefined || path === '')
    throw new Error(
      `set ${variable} to the path of ${name}, or run .ci/control-plane, which gets it and does`,
    );
  return path;
};
