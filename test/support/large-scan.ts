import { supportOf } from '../../src/istio/index.ts';
import type { ScannedImage, ScannedOwner, ScannedUse, ScanResult, ScanStatus } from '../../src/scan/index.ts';
import { exampleScan } from './example-scan.ts';

const STATUSES: readonly ScanStatus[] = ['refused', 'unknown', 'reported', 'exempt', 'verified'];

/** The share of each status in twenty images. */
const KINDS = [
  { status: 'refused', reason: 'image-look-alike', hub: 'registry.corp.example/mesh', version: '1.28.1' },
  { status: 'refused', reason: 'image-look-alike', hub: 'registry.corp.example/mesh', version: '1.27.3' },
  { status: 'refused', reason: 'image-never-signed', hub: 'docker.io/istio', version: '1.11.4' },
  { status: 'refused', reason: 'signature-missing', hub: 'ghcr.io/team-b/istio', version: '1.26.0' },
  { status: 'refused', reason: 'image-not-pinned', hub: 'docker.io/istio', version: '1.27.3' },
  {
    status: 'unknown',
    reason: 'registry-unavailable',
    hub: 'registry.silent.example/istio',
    version: '1.28.1',
  },
  { status: 'reported', reason: 'signer-untrusted', hub: 'mirror.edge.example/istio', version: '1.29.0' },
  { status: 'exempt', reason: 'image-never-signed', hub: 'docker.io/istio', version: '1.11.0' },
] as const;
const SIGNED_VERSIONS = ['1.26.4', '1.27.3', '1.28.1', '1.29.2', '1.30.0'];
const COMPONENTS = ['proxyv2', 'pilot', 'install-cni', 'ztunnel'];
const OWNERS = ['cart', 'checkout', 'ledger', 'search', 'gateway', 'payments', 'profile', 'stock', 'mail'];
const VERSIONS = ['1.11', '1.26', '1.27', '1.28', '1.29', '1.30'];

const KEY = { keyId: 'kI7-eP4xGgWcYAmBeqKH1tDvHUyZ0uYkz3oJk0P0Q1A', source: 'istio-release-1' };
const EFFECTS = {
  refused: 'deny',
  unknown: 'deny',
  reported: 'warn',
  exempt: 'exempt',
  verified: null,
} as const;

const kindOf = (index: number) => {
  const kind = KINDS[index % 20];
  if (kind !== undefined) return kind;
  const version = SIGNED_VERSIONS[index % SIGNED_VERSIONS.length] as string;
  return { status: 'verified', reason: null, hub: 'docker.io/istio', version } as const;
};

const messageOf = (reference: string, container: string, reason: string | null): string =>
  reason === null
    ? 'signed by istio-release-1'
    : `image "${reference}" in init container "${container}" (spec.initContainers[1].image): it is not proven to be Istio's (${reason}); see the remedy that is listed for it`;

const imageOf = (index: number): ScannedImage => {
  const { status, reason, hub, version } = kindOf(index);
  const component = COMPONENTS[index % COMPONENTS.length] as string;
  const build = index < 20 ? '' : `-build.${Math.floor(index / 20)}`;
  const reference = `${hub}/${component}:${version}${build}`;
  const container = component === 'pilot' ? 'discovery' : 'istio-proxy';
  const pods = 1 + ((index * 7) % 23);
  const uses = [0, 1, 2].slice(0, Math.min(3, pods)).map(
    (use, _, { length }): ScannedUse => ({
      namespace: `team-${(index + use * 3) % 50}`,
      owner: `Deployment/${OWNERS[(index + use) % OWNERS.length]}-${index}`,
      container,
      path: 'spec.initContainers[1].image',
      pods: Math.floor(pods / length) + (use < pods % length ? 1 : 0),
      effect: EFFECTS[status],
      reason,
    }),
  );
  const isSigned = status === 'verified';
  return {
    reference,
    status,
    hub: reason === 'image-look-alike' ? null : hub,
    component,
    istioVersion: version,
    digest: isSigned ? `sha256:${index.toString(16).padStart(64, 'a')}` : null,
    reason,
    message: messageOf(reference, container, reason),
    signedBy: isSigned ? [KEY] : [],
    format: isSigned ? 'simple-signing' : null,
    command: `sailmark verify ${reference}`,
    pods,
    uses,
    omittedUses: 0,
  };
};

const ownersOf = (images: readonly ScannedImage[]): readonly ScannedOwner[] =>
  images
    .filter(({ status }) => status !== 'verified')
    .flatMap((image) =>
      image.uses.map(({ namespace, owner, path, pods, effect, reason }): ScannedOwner => {
        const podNames = Array.from(
          { length: pods },
          (_, pod) => `${owner.replace('Deployment/', '')}-${pod}`,
        );
        return {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          namespace,
          name: owner.replace('Deployment/', ''),
          uid: null,
          status: image.status,
          mode: image.status === 'reported' ? 'warn' : 'enforce',
          critical: false,
          pods,
          podNames,
          refusedPods: image.status === 'refused' ? podNames : [],
          message: image.message,
          findings:
            reason === null || effect === null
              ? []
              : [{ image: image.reference, path, code: reason, effect }],
        };
      }),
    );

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Counts for each status. */
const countsOf = (images: readonly ScannedImage[], count: (image: ScannedImage) => number) => {
  const of = (status: ScanStatus): number =>
    sum(images.filter((image) => image.status === status).map(count));
  return {
    refused: of('refused'),
    unknown: of('unknown'),
    reported: of('reported'),
    exempt: of('exempt'),
    verified: of('verified'),
  };
};

const remediesOf = (images: readonly ScannedImage[]): ScanResult['remedies'] => {
  const because = (reason: string) =>
    images.filter((image) => image.status === 'refused' && image.reason === reason);
  const affected = (found: readonly ScannedImage[]) => ({
    images: found.map(({ reference }) => reference),
    owners: found.flatMap(({ uses }) => uses.map(({ namespace, owner }) => `${namespace} ${owner}`)),
    pods: sum(found.map(({ pods }) => pods)),
  });
  return [
    {
      kind: 'declare-mirror',
      title: 'Declare registry.corp.example/mesh as a mirror of docker.io/istio',
      snippet: 'config:\n  mirrors:\n    - {mirror: registry.corp.example/mesh, of: docker.io/istio}\n',
      language: 'yaml',
      ...affected(because('image-look-alike')),
    },
    {
      kind: 'copy-signatures',
      title: 'Copy the signatures to ghcr.io/team-b/istio',
      snippet: 'cosign copy --only=sig docker.io/istio/ztunnel:1.26.0 ghcr.io/team-b/istio/ztunnel:1.26.0\n',
      language: 'shell',
      ...affected(because('signature-missing')),
    },
    {
      kind: 'use-signed-release',
      title: 'Use a released Istio image since 1.12 instead of 1.11.4',
      snippet: '',
      language: '',
      ...affected(because('image-never-signed')),
    },
  ];
};

const versionsOf = (images: readonly ScannedImage[]): ScanResult['versions'] =>
  VERSIONS.map((version) => {
    const { ends: supportEnds, supported } = supportOf(version, '2026-11-30');
    const found = images.filter(({ istioVersion }) => istioVersion?.startsWith(`${version}.`));
    return {
      version,
      supportEnds,
      supported,
      pods: sum(found.map(({ pods }) => pods)),
      images: found.map(({ reference }) => reference),
    };
  });

/** A result with this number of images, whose numbers agree. */
export const largeScan = (size: number): ScanResult => {
  const images = Array.from({ length: size }, (_, index) => imageOf(index)).toSorted(
    (a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) || b.pods - a.pods,
  );
  const owners = ownersOf(images).toSorted((a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status));
  const pods = countsOf(images, (image) => image.pods);
  const example = exampleScan();
  return {
    ...example,
    images,
    owners,
    summary: {
      ...example.summary,
      images: countsOf(images, () => 1),
      pods: { ...pods, other: size, all: sum(Object.values(pods)) + size },
      ownersRefused: owners.filter(({ status }) => status === 'refused').length,
      namespaces: 50,
    },
    remedies: remediesOf(images),
    versions: versionsOf(images),
  };
};
