/*
 * The programs of a control plane, and Istio's. `.ci/control-plane` builds them, or takes them from `KUBEBUILDER_ASSETS`, and names
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
  istioctl: 'ISTIOCTL',
  'pilot-discovery': 'PILOT_DISCOVERY',
} as const;

export type Program = keyof typeof VARIABLES;

/** Releases of the API server that tests run against: the oldest that the chart claims, the usual one, the newest. */
export type Release = '1.30' | '1.36' | '1.37';

/** The releases that this run has: the newest one only if `SAILMARK_NEWEST_RELEASE` asks for it, because it takes long to build. */
export const RELEASES: readonly Release[] = [
  '1.30',
  '1.36',
  ...(process.env['SAILMARK_NEWEST_RELEASE'] ? (['1.37'] as const) : []),
];

const pathIn = (variable: string, what: string): string => {
  const path = process.env[variable];
  if (path === undefined || path === '')
    throw new Error(
      `set ${variable} to the path of ${what}, or run .ci/control-plane, which provides it and sets the variable`,
    );
  return path;
};

/** Returns the path of a program. Throws if its variable is not set. */
export const programOf = (name: Program): string => pathIn(VARIABLES[name], name);

/** Returns the directory of the standard CRDs of the Gateway API. Throws if its variable is not set. */
export const gatewayApiCrds = (): string => pathIn('GATEWAY_API_CRDS', 'the CRDs of the Gateway API');

/** Returns the directory of the CRDs of OpenReports. Throws if its variable is not set. */
export const openReportsCrds = (): string => pathIn('OPEN_REPORTS_CRDS', 'the CRDs of OpenReports');
