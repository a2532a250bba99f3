import type { Places } from '../../src/istio/index.ts';
import { container, imageVolume, type PodSpec } from './builders.ts';
import { digestFor } from './verdicts.ts';

/** A pod that Kubernetes accepts, created or updated. The API server must send it to the webhook, or must not. */
export interface MatchCase {
  readonly name: string;
  readonly spec: PodSpec;
  /** The old pod of an update. Ephemeral containers change through their subresource alone. */
  readonly before?: PodSpec;
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
  ...['istio-proxy', 'istio-init', 'istio-validation', 'discovery'].map((name) =>
    creationOf('ghcr.io/acme/mesh:1', name),
  ),
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
  ].map((image) => creationOf(image)),
  creationOf('nginx', 'istio-proxy-exporter'),
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
