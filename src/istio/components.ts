/*
 * Sources: istio/istio `tools/istio-docker.mk` and `tools/docker.yaml` at each release branch, 1.0 to 1.31.
 * release-builder's publish loop signs everything that it pushes (`pkg/publish/docker.go`): from 1.12 on all
 * components below, including the images for tests.
 */

/** Component names, current and past: a signature made for one must not pass for another. */
export const components: ReadonlySet<string> = new Set([
  // 1.12 and later, all signed
  'pilot',
  'proxyv2',
  'install-cni',
  'ztunnel',
  'istioctl',
  'operator', // to 1.23
  'agentgateway', // from 1.29
  'app',
  'ext-authz', // from 1.14
  // 1.11 and earlier, never signed
  'app_sidecar',
  'citadel',
  'galley',
  'mixer',
  'mixer_codegen',
  'node-agent',
  'node-agent-k8s',
  'proxy_debug',
  'proxy_init',
  'proxytproxy',
  'servicegraph',
  'sidecar_injector',
  'test_policybackend',
]);

/** The test app with a sidecar, one for each distribution: `app_sidecar_ubuntu_jammy`. Signed like the others. */
export const componentPrefixes: readonly string[] = ['app_sidecar_'];

/**
 * Images directly below a hub that no release job makes, so none is signed: istio/istio `samples/`,
 * `tools/build-base-images.sh`. They are not verified on the built-in hubs; every other image is, and on mirrors and
 * configured hubs, where others push, these are too.
 */
export const samples: ReadonlySet<string> = new Set([
  'base',
  'distroless',
  'health',
  'jwt-server',
  'kubectl', // to 1.5
  'tcp-echo-server',
]);

export const samplePrefixes: readonly string[] = ['examples-'];

/** Names that identify Istio in any registry. */
export const distinctiveNames: ReadonlySet<string> = new Set(['proxyv2', 'install-cni', 'ztunnel']);

/** Names that identify Istio only in a path with the word `istio`. */
export const ambiguousNames: ReadonlySet<string> = new Set(['pilot', 'istioctl']);

/** Vendors' names for components, in a path with the word `istio`: `istio-proxy`, `istio-cni-rhel9`. */
export const vendorNames: ReadonlyMap<string, string> = new Map([
  ['proxy', 'proxyv2'],
  ['cni', 'install-cni'],
]);

/** Prefixes and suffixes that vendors add to the name of the same image. */
export const knownPrefixes: ReadonlySet<string> = new Set(['istio', 'mirrored']);
export const knownSuffixes: ReadonlySet<string> = new Set([
  'debug',
  'distroless',
  'fips',
  'rhel8',
  'rhel9',
  'rhel10',
  'ubi8',
  'ubi9',
]);

/**
 * The image that the gateway chart writes, for the injector to replace (istio/istio `pkg/kube/inject/webhook.go`).
 * Left in a Pod it means that injection did not happen.
 */
export const placeholderImage = 'auto';
