import type { Places } from '../../src/istio/index.ts';
import { container, imageVolume, type PodSpec } from './builders.ts';
import { digestFor } from './verdicts.ts';

type Labels = Readonly<Record<string, string>>;

/** A pod that Kubernetes accepts, created or updated. The API server must send it to the webhook, or must not. */
export interface MatchCase {
  readonly name: string;
  readonly spec: PodSpec;
  /** The old pod of an update. Ephemeral containers change through their subresource alone. */
  readonly before?: PodSpec;
  readonly labels?: Labels;
  /** The labels before an update, if they were others. */
  readonly labelsBefore?: Labels;
  /** Image volumes need no feature gate from Kubernetes 1.36 on. */
  readonly hasImageVolume?: true;
}

/**
 * A configuration whose hub, mirrors and revoked digest contain no name of Istio's, as in its file and in chart
 * values.
 */
export const matchConfiguration = {
  hubs: ['Registry.Corp.Example:5000/upstream'],
  mirrors: [
    { mirror: 'registry.corp.example/mesh', of: 'docker.io/istio', components: { 'mesh-a': 'proxyv2' } },
    { mirror: 'index.docker.io/corp/m.e', of: 'docker.io/istio', components: { 'mesh-b': 'pilot' } },
    { mirror: 'corp', of: 'docker.io/istio' },
  ],
  revoked: [{ digest: digestFor('revoked'), reason: 'stolen key' }],
} as const;

/** The same places in normal form, with the built-in hubs. */
export const matchPlaces: Places = {
  hubs: [
    'docker.io/istio',
    'gcr.io/istio-testing',
    'gcr.io/istio-prerelease-testing',
    'ghcr.io/istio/prerelease-testing',
    'registry.corp.example:5000/upstream',
  ],
  mirrors: [
    { mirror: 'registry.corp.example/mesh', of: 'docker.io/istio', components: { 'mesh-a': 'proxyv2' } },
    { mirror: 'docker.io/corp/m.e', of: 'docker.io/istio', components: { 'mesh-b': 'pilot' } },
    { mirror: 'docker.io/corp', of: 'docker.io/istio' },
  ],
};

const creationOf = (image: string, name?: string): MatchCase => ({
  name: `${name === undefined ? '' : `container ${name}: `}${image}`,
  spec: { containers: [container(image, name)] },
});

const MESHED = 'docker.io/istio/proxyv2:1.28.0';
const DIGEST = digestFor('pinned');

/** Pods that must match with the built-in hubs alone. */
export const mustMatch: readonly MatchCase[] = [
  ...[
    MESHED,
    'istio/pilot:1.28.0',
    'index.docker.io/istio/ztunnel',
    'registry-1.docker.io/istio/whatever:1',
    'gcr.io/istio-release/pilot:1.28.0-distroless',
    'GCR.IO/istio-release/install-cni:1.28.0',
    'registry.istio.io/release/proxyv2:1.31.1',
    'registry.istio.io/testing/mynewproxy:latest',
    `istio/proxyv2@${DIGEST}`,
    'ghcr.io/acme/proxyv2:1.28.0',
    'localhost:5000/a/b/mirrored_ztunnel-fips',
    'acme/install_cni:1',
    'acme/install.cni:1',
    'quay.io/maistra/pilot:2.6',
    'dhi.io/pilot-debug:1',
    'my_registry.corp.example/istio/pilot:1.28.0',
    'my__registry.corp.example/istio/istioctl:1.28.0',
    'cgr.dev/chainguard/mirrored_pilot',
    'registry.redhat.io/openshift-service-mesh/istio-cni-rhel9:2.6',
    // Not valid references, but possibly meant as Istio images.
    'docker.io/Istio/ProxyV2:1.28.0',
    'ISTIO/PILOT',
    `istio/proxyv2@sha512:${'0'.repeat(128)}`,
    'istio/proxyv2:1 28',
    'https://registry.istio.io/release/proxyv2:1.31.1',
    '/proxyv2:',
    'auto',
  ].map((image) => creationOf(image)),
  ...['istio-proxy', 'istio-init', 'istio-validation'].map((name) => creationOf('ghcr.io/acme/mesh:1', name)),
  // A renamed istiod: its container's generic name, and something else of Istio's.
  ...['ghcr.io/acme/pilot:1', 'ghcr.io/acme/istiod:1', 'registry.corp.example/istio-copies/control:1'].map(
    (image) => creationOf(image, 'discovery'),
  ),
  ...[{ app: 'istiod' }, { istio: 'pilot' }, { istio: 'istiod' }, { 'app.kubernetes.io/name': 'istiod' }].map(
    (labels: Labels) => ({
      ...creationOf('ghcr.io/acme/mesh:1', 'discovery'),
      name: `container discovery of a pod that is labelled ${Object.entries(labels).join()}`,
      labels,
    }),
  ),
  {
    ...creationOf('ghcr.io/acme/mesh:1', 'discovery'),
    name: "container discovery of a pod that is given istiod's label",
    before: creationOf('ghcr.io/acme/mesh:1', 'discovery').spec,
    labels: { app: 'istiod' },
    labelsBefore: { app: 'eureka' },
  },
  {
    name: 'a native sidecar',
    spec: {
      containers: [container('nginx')],
      initContainers: [{ ...container(MESHED, 'proxy'), restartPolicy: 'Always' }],
    },
  },
  {
    name: 'an image volume',
    spec: { containers: [container('nginx')], volumes: [imageVolume(MESHED)] },
    hasImageVolume: true,
  },
  {
    name: 'an ephemeral container that is added',
    spec: { containers: [container('nginx')], ephemeralContainers: [container(MESHED, 'debug')] },
    before: { containers: [container('nginx')] },
  },
  {
    name: 'an image that is changed',
    spec: { containers: [container('istio/proxyv2:1.28.1')] },
    before: { containers: [container('istio/proxyv2:1.28.0')] },
  },
  {
    name: 'images that change places',
    spec: { containers: [container('nginx', 'a'), container(MESHED, 'b')] },
    before: { containers: [container(MESHED, 'a'), container('nginx', 'b')] },
  },
  {
    name: 'an image that is in another list already',
    spec: { containers: [container(MESHED, 'b')], initContainers: [container(MESHED, 'a')] },
    before: { containers: [container('nginx', 'b')], initContainers: [container(MESHED, 'a')] },
  },
  {
    name: "another image in a container of Istio's",
    spec: { containers: [container('nginx', 'istio-proxy')] },
    before: { containers: [container(MESHED, 'istio-proxy')] },
  },
];

/** Pods that must match with `matchConfiguration`, and must not without it. */
export const mustMatchConfigured: readonly MatchCase[] = [
  'registry.corp.example:5000/upstream/x:1',
  'registry.corp.example/mesh/mesh-a:1.28.0',
  'registry.corp.example/mesh/base:1.28.0',
  'registry.corp.example:5000/upstream/examples-tool:1',
  'REGISTRY.corp.example/mesh/mesh-a',
  `registry.corp.example/mesh/mesh-a@${DIGEST}`,
  'registry.corp.example/Mesh/mesh-a',
  'see registry.corp.example/mesh/mesh-a',
  'corp/m.e/mesh-b',
  'docker.io/corp/m.e/mesh-b:1',
  'index.docker.io/corp/m.e/mesh-b:1',
  'Docker.IO/corp/x',
  'corp/x:1',
  `nginx@${digestFor('revoked')}`,
  `ghcr.io/acme/app:1@${digestFor('revoked')}`,
].map((image) => creationOf(image));

/** Pods that must match neither with the built-in hubs alone nor with `matchConfiguration`. */
export const mustNotMatch: readonly MatchCase[] = [
  ...[
    'nginx',
    'busybox:1.28',
    'ghcr.io/github/copilot:1',
    'quay.io/autopilot/x',
    'ghcr.io/mycorp/x',
    'example.com/corp/m',
    'registry.corp.example/meshed/x',
    'registry-corp.example/mesh/x',
    `nginx@${DIGEST}`,
    'auto:1',
    'registry.k8s.io/pause:3.10',
    // Below a hub or mirror, but not directly, and names that only end or begin with one.
    'registry.corp.example/mesh/deep/x',
    'registry.corp.example:5000/upstream/a/b',
    'other.registry.corp.example/mesh/x',
    'cache.example/registry.corp.example/mesh/x',
    'corp/m.e/deep/x',
    'quay.io/corp/x',
    'cache.example/docker.io/istio/examples-bookinfo-details-v1:1.20.3',
    // Samples of a hub, beside Istio's names.
    'istio/examples-bookinfo-details-v1:1.20.3',
    `gcr.io/istio-release/examples-helloworld-v1@${DIGEST}`,
    'openpolicyagent/opa:0.68.0-istio',
    'quay.io/jetstack/cert-manager-istio-csr:v0.12.0',
    'gcr.io/knative-releases/knative.dev/net-istio/cmd/controller',
    'acme/proxyv2-exporter',
    'acme/pilot',
  ].map((image) => creationOf(image)),
  creationOf('nginx', 'istio-proxy-exporter'),
  // Eureka, Talos, Gloo, and one that is in a mesh.
  ...[
    'springcloud/eureka',
    'ghcr.io/siderolabs/discovery-service:v1.0.4',
    'quay.io/solo-io/discovery:1.17.0',
  ].map((image) => creationOf(image, 'discovery')),
  {
    ...creationOf('springcloud/eureka', 'discovery'),
    name: 'container discovery of a pod of a mesh',
    labels: { app: 'eureka', 'istio.io/rev': 'default', 'sidecar.istio.io/inject': 'true' },
  },
  {
    ...creationOf('ghcr.io/acme/mesh:1', 'discovery'),
    name: "container discovery of a pod that keeps istiod's label",
    before: creationOf('ghcr.io/acme/mesh:1', 'discovery').spec,
    labels: { app: 'istiod' },
  },
  {
    ...creationOf('ghcr.io/acme/mesh:1', 'discovery'),
    name: "container discovery of a pod that loses istiod's label",
    before: creationOf('ghcr.io/acme/mesh:1', 'discovery').spec,
    labels: { app: 'eureka' },
    labelsBefore: { app: 'istiod' },
  },
  {
    name: "another container of a pod that is labelled as istiod's",
    spec: { containers: [container('nginx')] },
    labels: { app: 'istiod' },
  },
  {
    name: 'no image of Istio’s in any list',
    spec: {
      containers: [container('nginx')],
      initContainers: [container('busybox', 'init')],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    },
  },
  {
    name: 'anything but images of a meshed pod that changes',
    spec: { containers: [container(MESHED, 'istio-proxy'), container('nginx')] },
    before: { containers: [container(MESHED, 'istio-proxy'), container('nginx')] },
  },
  {
    name: 'another image of a meshed pod that changes',
    spec: { containers: [container('nginx:2')], initContainers: [container(MESHED, 'istio-proxy')] },
    before: { containers: [container('nginx:1')], initContainers: [container(MESHED, 'istio-proxy')] },
  },
  {
    name: 'a meshed pod that is debugged',
    spec: {
      containers: [container(MESHED, 'istio-proxy')],
      ephemeralContainers: [container('busybox', 'debug')],
    },
    before: { containers: [container(MESHED, 'istio-proxy')] },
  },
  {
    name: 'an image of Istio’s that is replaced by another',
    spec: { containers: [container('nginx')] },
    before: { containers: [container(MESHED)] },
  },
  {
    name: 'an image volume of a pod that is relabelled',
    spec: { containers: [container('nginx')], volumes: [imageVolume(MESHED)] },
    before: { containers: [container('nginx')], volumes: [imageVolume(MESHED)] },
    hasImageVolume: true,
  },
];
