import { SCAN_SCHEMA, type ScannedImage, type ScanResult } from '../../src/scan/index.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const OTHER_DIGEST = `sha256:${'b2'.repeat(32)}`;
const KEY = { keyId: 'kI7-eP4xGgWcYAmBeqKH1tDvHUyZ0uYkz3oJk0P0Q1A', source: 'istio-release-1' };
const MIRROR = 'registry.corp.example/istio';

const image = (reference: string, more: Partial<ScannedImage>): ScannedImage => ({
  reference,
  status: 'verified',
  hub: 'docker.io/istio',
  component: 'proxyv2',
  istioVersion: '1.28.1',
  digest: DIGEST,
  reason: null,
  message: 'signed by istio-release-1',
  signedBy: [KEY],
  format: 'simple-signing',
  command: `sailmark verify ${reference}`,
  pods: 1,
  uses: [],
  omittedUses: 0,
  ...more,
});

const unsigned = { digest: null, signedBy: [], format: null } as const;

const denial = (reference: string, cause: string, code: string, remedy: string): string =>
  `image "${reference}" in init container "istio-proxy" (spec.initContainers[1].image): ${cause} (${code}); ${remedy}`;

const SIGNED = 'docker.io/istio/proxyv2:1.28.1';
const COPIED = `${MIRROR}/proxyv2:1.28.1`;
const UNSIGNED = 'docker.io/istio/proxyv2:1.11.4';
const SILENT = 'registry.silent.example/istio/ztunnel:1.28.1';
const EXEMPT = 'docker.io/istio/pilot:1.11.0';

const IMAGES: readonly ScannedImage[] = [
  image(COPIED, {
    ...unsigned,
    status: 'refused',
    hub: null,
    reason: 'image-look-alike',
    message: denial(
      COPIED,
      "it has the name of Istio's proxyv2 and is on no known hub or mirror",
      'image-look-alike',
      'declare the mirror in the configuration',
    ),
    pods: 7,
    uses: [
      {
        namespace: 'shop',
        owner: 'Deployment/cart',
        container: 'istio-proxy',
        path: 'spec.initContainers[1].image',
        pods: 7,
        effect: 'deny',
        reason: 'image-look-alike',
      },
    ],
  }),
  image(UNSIGNED, {
    ...unsigned,
    status: 'refused',
    istioVersion: '1.11.4',
    reason: 'image-never-signed',
    message: denial(
      UNSIGNED,
      'Istio signs its images since 1.12',
      'image-never-signed',
      'use a released Istio image since 1.12',
    ),
    pods: 2,
    uses: [
      {
        namespace: 'legacy',
        owner: 'StatefulSet/ledger',
        container: 'istio-proxy',
        path: 'spec.initContainers[1].image',
        pods: 2,
        effect: 'deny',
        reason: 'image-never-signed',
      },
    ],
  }),
  image(SILENT, {
    ...unsigned,
    status: 'unknown',
    hub: 'registry.silent.example/istio',
    component: 'ztunnel',
    reason: 'registry-unavailable',
    message: denial(SILENT, 'the registry did not respond', 'registry-unavailable', 'try again'),
    pods: 3,
    uses: [
      {
        namespace: 'istio-system',
        owner: 'DaemonSet/ztunnel',
        container: 'istio-proxy',
        path: 'spec.containers[0].image',
        pods: 3,
        effect: 'deny',
        reason: 'registry-unavailable',
      },
    ],
  }),
  image(EXEMPT, {
    ...unsigned,
    status: 'exempt',
    component: 'pilot',
    istioVersion: '1.11.0',
    reason: 'image-never-signed',
    message: 'exempt until 2027-03-01 (owner team-mesh): migrating',
    uses: [
      {
        namespace: 'istio-system',
        owner: 'Deployment/istiod',
        container: 'discovery',
        path: 'spec.containers[0].image',
        pods: 1,
        effect: 'exempt',
        reason: 'image-never-signed',
      },
    ],
  }),
  image(SIGNED, {
    pods: 40,
    uses: [
      {
        namespace: 'shop',
        owner: 'Deployment/checkout',
        container: 'istio-proxy',
        path: 'spec.initContainers[1].image',
        pods: 40,
        effect: null,
        reason: null,
      },
    ],
  }),
];

const pods = (...[refused, unknown, reported, exempt, verified]: readonly number[]) => ({
  refused: refused ?? 0,
  unknown: unknown ?? 0,
  reported: reported ?? 0,
  exempt: exempt ?? 0,
  verified: verified ?? 0,
});

/** A result with a row of every kind, whose numbers agree; `images` replaces its images, and nothing that counts them. */
export const exampleScan = (more: Partial<ScanResult> = {}): ScanResult => ({
  schema: SCAN_SCHEMA,
  version: '0.1.0',
  startedAt: '2026-11-30T09:00:00.000Z',
  durationMs: 4_210,
  complete: true,
  cluster: { server: 'https://10.88.0.1:6443', version: 'v1.36.3', context: 'production' },
  policy: {
    mode: 'enforce',
    webhook: 'sailmark',
    criticalNamespaces: ['istio-cni', 'istio-system', 'kube-system', 'sailmark'],
    excludedNamespaces: [],
    pin: 'enforce',
  },
  keys: [
    { ...KEY, covers: '1.12–1.31.0', problem: null },
    {
      keyId: '',
      source: 'https://istio.io/misc/istio-key-v2.pub',
      covers: '1.31.1 and later',
      problem: 'no connection',
    },
  ],
  summary: {
    images: pods(2, 1, 0, 1, 1),
    pods: { ...pods(9, 3, 0, 1, 40), all: 60, other: 7 },
    denied: 12,
    ownersRefused: 2,
    namespaces: 4,
    reasons: { 'image-look-alike': 1, 'image-never-signed': 2, 'registry-unavailable': 1 },
    drifted: 1,
    driftUnknown: 1,
    preflightRefused: 1,
    preflightUnknown: 0,
  },
  images: IMAGES,
  owners: [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'shop',
      name: 'cart',
      uid: '5f0c6f1e-0000-4000-8000-000000000001',
      status: 'refused',
      mode: 'enforce',
      critical: false,
      pods: 7,
      podNames: ['cart-7d4c-1', 'cart-7d4c-2'],
      refusedPods: ['cart-7d4c-1', 'cart-7d4c-2'],
      message: IMAGES[0]?.message ?? '',
      findings: [
        { image: COPIED, path: 'spec.initContainers[1].image', code: 'image-look-alike', effect: 'deny' },
      ],
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      namespace: 'legacy',
      name: 'ledger',
      uid: '5f0c6f1e-0000-4000-8000-000000000002',
      status: 'refused',
      mode: 'enforce',
      critical: false,
      pods: 2,
      podNames: ['ledger-0', 'ledger-1'],
      refusedPods: ['ledger-0', 'ledger-1'],
      message: IMAGES[1]?.message ?? '',
      findings: [
        { image: UNSIGNED, path: 'spec.initContainers[1].image', code: 'image-never-signed', effect: 'deny' },
      ],
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      namespace: 'istio-system',
      name: 'ztunnel',
      uid: '5f0c6f1e-0000-4000-8000-000000000003',
      status: 'unknown',
      mode: 'enforce',
      critical: true,
      pods: 3,
      podNames: ['ztunnel-a', 'ztunnel-b', 'ztunnel-c'],
      refusedPods: ['ztunnel-a', 'ztunnel-b', 'ztunnel-c'],
      message: IMAGES[2]?.message ?? '',
      findings: [
        { image: SILENT, path: 'spec.containers[0].image', code: 'registry-unavailable', effect: 'deny' },
      ],
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'istio-system',
      name: 'istiod',
      uid: '5f0c6f1e-0000-4000-8000-000000000004',
      status: 'exempt',
      mode: 'enforce',
      critical: true,
      pods: 1,
      podNames: ['istiod-0'],
      refusedPods: [],
      message: IMAGES[3]?.message ?? '',
      findings: [
        { image: EXEMPT, path: 'spec.containers[0].image', code: 'image-never-signed', effect: 'exempt' },
      ],
    },
  ],
  remedies: [
    {
      kind: 'declare-mirror',
      title: `Declare ${MIRROR} as a mirror of docker.io/istio`,
      snippet: `config:\n  mirrors:\n    - {mirror: ${MIRROR}, of: docker.io/istio}\n`,
      language: 'yaml',
      images: [COPIED],
      owners: ['shop Deployment/cart'],
      pods: 7,
    },
  ],
  preflight: [
    {
      source: 'ConfigMap istio-system/istio-sidecar-injector',
      path: 'data.values.global',
      reference: UNSIGNED,
      status: 'refused',
      reason: 'image-never-signed',
      message: 'Istio signs its images since 1.12 (image-never-signed)',
      namespaces: ['shop'],
    },
  ],
  drift: [
    {
      status: 'drifted',
      reference: SIGNED,
      verified: DIGEST,
      running: `docker.io/istio/proxyv2@${OTHER_DIGEST}`,
      message: 'the tag has moved since the pod was created',
      namespace: 'shop',
      owner: 'Deployment/checkout',
      container: 'istio-proxy',
      pods: 1,
      podNames: ['checkout-1'],
    },
    {
      status: 'unknown',
      reference: SIGNED,
      verified: DIGEST,
      running: 'unheard-of://1',
      message: 'the image id has no known form',
      namespace: 'shop',
      owner: 'Deployment/checkout',
      container: 'istio-proxy',
      pods: 1,
      podNames: ['checkout-2'],
    },
  ],
  versions: [
    { version: '1.11', supportEnds: '2022-03-25', supported: false, pods: 3, images: [UNSIGNED, EXEMPT] },
    {
      version: '1.28',
      supportEnds: '2026-06-28',
      supported: false,
      pods: 50,
      images: [SIGNED, COPIED, SILENT],
    },
  ],
  notices: [
    {
      kind: 'version-unsupported',
      severity: 'warning',
      message: 'Istio 1.28 has had no support since 2026-06-28: upgrade to 1.30 or 1.31',
      subject: '1.28',
      date: '2026-06-28',
      pods: 50,
      images: [SIGNED, COPIED, SILENT],
    },
    {
      kind: 'version-unsupported',
      severity: 'warning',
      message: 'Istio 1.11 has had no support since 2022-03-25: upgrade to 1.30 or 1.31',
      subject: '1.11',
      date: '2022-03-25',
      pods: 3,
      images: [UNSIGNED, EXEMPT],
    },
  ],
  coverage: {
    resources: [{ resource: 'pods', objects: 60, requests: 1 }],
    notSeen: [
      {
        resource: 'rollouts.argoproj.io',
        why: 'the account may not list them',
        remedy: 'grant the verb list on rollouts.argoproj.io',
      },
    ],
    cut: [],
  },
  cost: { apiRequests: 14, registryRequests: 21 },
  ...more,
});

/** The message of a pod that the webhook does not read. */
const UNREAD =
  'the review holds more than 10000 image uses, so it was not read (too-many-images); use a smaller object';

/** A scan of a pod that is refused unread: its owner has a finding that no image tells, of an image that is verified elsewhere. */
export const unreadScan = (): ScanResult => {
  const scan = exampleScan();
  const owners = scan.owners.slice(0, 1).map((owner) => ({
    ...owner,
    kind: 'Job',
    name: 'bulk',
    pods: 2,
    message: UNREAD,
    findings: [{ image: SIGNED, path: '', code: 'too-many-images', effect: 'deny' } as const],
  }));
  return { ...scan, images: scan.images.filter(({ status }) => status === 'verified'), owners };
};
