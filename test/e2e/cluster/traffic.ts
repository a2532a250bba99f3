import { imageIndex, push, pushSignatures, type Signer, sign } from '../../support/signing-kit.ts';
import type { Api } from '../control-plane/api.ts';
import { createAccount, subjectOf } from './clients.ts';
import type { Cluster } from './cluster.ts';
import type { Expected, Workload } from './load.ts';

/*
 * The pods that a busy cluster creates: sidecars by tag and by digest, parts of the mesh, images that are new, and
 * attempts that must be refused.
 */

/** The expected outcomes that depend on events of the test, which changes them. */
export interface Expectations {
  /** Images that are published a moment before they are used. */
  fresh: Expected;
  /** Images signed only by the old key. */
  byOldKey: Expected;
  /** Images signed only by the new key. */
  byNewKey: Expected;
}

export interface Signers {
  readonly old: Signer;
  readonly next: Signer;
}

export interface Traffic {
  readonly workloads: readonly Workload[];
  /** Images that are used repeatedly, and that start if only the new key is trusted. */
  readonly repeated: readonly string[];
}

interface Published {
  readonly byTag: string;
  readonly byDigest: string;
}

const VERSIONS = ['1.24.0', '1.24.1', '1.24.2', '1.24.3', '1.24.4', '1.24.5'];
/** Tags of images that are used once. */
const FRESH = '1.23.';

const publishBy = (
  { registry }: Cluster,
  signers: readonly Signer[],
  name: string,
  tag: string,
): Published => {
  const repository = `istio/${name}`;
  const byTag = `docker.io/${repository}:${tag}`;
  const digest = push(registry, repository, imageIndex(byTag), tag);
  const layers = signers.map((signer) => sign(signer, `docker.io/${repository}`, digest));
  if (layers.length > 0) pushSignatures(registry, repository, digest, layers);
  return { byTag, byDigest: `docker.io/${repository}@${digest}` };
};

const inTurn = (images: readonly string[]): (() => string) => {
  let turn = 0;
  return () => {
    turn += 1;
    return images[turn % images.length] as string;
  };
};

/**
 * Creates the workloads of the load: in the namespace `shop`, which has no label, and in `istio-system`, which is
 * critical. Signed images are signed by both keys, as during a publisher's key rotation, unless their name says
 * otherwise.
 */
export const createTraffic = (cluster: Cluster, { old, next }: Signers, expected: Expectations): Traffic => {
  const both = [old, next];
  const signed = VERSIONS.map((version) => publishBy(cluster, both, 'proxyv2', version));
  const unsigned = publishBy(cluster, [], 'proxyv2', '1.24.6');
  const byOldKey = publishBy(cluster, [old], 'proxyv2', '1.24.7');
  const byNewKey = publishBy(cluster, [next], 'proxyv2', '1.24.8');
  const ztunnel = publishBy(cluster, both, 'ztunnel', '1.24.0');
  const unsignedZtunnel = publishBy(cluster, [], 'ztunnel', '1.24.6');
  let published = 0;
  const publishFresh = (): string => {
    published += 1;
    return publishBy(cluster, both, 'proxyv2', `${FRESH}${published}`).byTag;
  };
  const workload = (name: string, image: () => string, what: () => Expected, critical = false): Workload => ({
    name,
    namespace: critical ? 'istio-system' : 'shop',
    entry: critical ? 'critical' : 'enforce',
    image,
    expected: what,
  });
  const tags = signed.map(({ byTag }) => byTag);
  const digests = signed.map(({ byDigest }) => byDigest);
  const signedByTag = workload('signed, by tag', inTurn(tags), () => 'created');
  const workloads = [
    signedByTag,
    workload(
      'unsigned, by tag',
      () => unsigned.byTag,
      () => 'refused',
    ),
    workload('signed, by digest', inTurn(digests), () => 'created'),
    workload('fresh', publishFresh, () => expected.fresh),
    signedByTag,
    workload(
      'unsigned, by digest',
      () => unsigned.byDigest,
      () => 'refused',
    ),
    workload(
      'signed by the old key',
      () => byOldKey.byTag,
      () => expected.byOldKey,
    ),
    workload(
      'critical, signed',
      () => ztunnel.byTag,
      () => 'created',
      true,
    ),
    workload(
      'signed by the new key',
      () => byNewKey.byTag,
      () => expected.byNewKey,
    ),
    workload(
      'critical, unsigned',
      () => unsignedZtunnel.byTag,
      () => 'refused',
      true,
    ),
  ];
  return { workloads, repeated: [...tags, ...digests, byNewKey.byTag, ztunnel.byTag] };
};

/** Creates clients, each with its own service account that may create pods in these namespaces. */
export const createClients = async (
  cluster: Cluster,
  names: readonly string[],
  namespaces: readonly string[],
): Promise<readonly Api[]> => {
  const rbac = 'rbac.authorization.k8s.io/v1';
  const subjects = names.map(subjectOf);
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }];
  for (const each of namespaces) {
    const metadata = { name: 'load', namespace: each };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'load' };
    await cluster.api.create({ apiVersion: rbac, kind: 'Role', metadata, rules });
    await cluster.api.create({ apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects });
  }
  return Promise.all(names.map((name) => createAccount(cluster, name)));
};
