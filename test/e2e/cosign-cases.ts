import type { Cosign, Workspace } from './workspace.ts';

/** A repository of its own, in one of the registries, for one case. */
export interface CaseRepository {
  readonly workspace: Workspace;
  /** `127.0.0.1:5000/e2e/s1` */
  readonly repository: string;
  /** Copies the referrers of one image to another, without signing anything. */
  readonly copyReferrers: (repository: string, from: string, to: string) => Promise<void>;
}

/** An image in a certain state, and the exit codes of the two programs for it. */
export interface CosignCase {
  readonly name: string;
  /** Pushes the image. Resolves with the references to verify; each must have the same result. */
  readonly prepare: (target: CaseRepository) => Promise<readonly string[]>;
  /** The exit code of `cosign verify --key release.pub --insecure-ignore-tlog` (cosign 3). */
  readonly cosign: number;
  readonly sailmark: number;
  /** Set if cosign 2 verifies it too: the only signatures are in a `.sig` tag. */
  readonly legacy?: true;
}

const TAG = '1.30.0';

/** Pushes an image under a tag. Returns its references by digest and by tag. */
const push = async ({ workspace, repository }: CaseRepository, content = repository) => {
  const digest = await workspace.pushImage(`${repository}:${TAG}`, content);
  return {
    digest,
    pinned: `${repository}@${digest}`,
    references: [`${repository}@${digest}`, `${repository}:${TAG}`],
  };
};

/** Pushes an image and signs it with the release key. */
export const signedBy =
  (cosign: Cosign, ...flags: readonly string[]) =>
  async (target: CaseRepository): Promise<readonly string[]> => {
    const { pinned, references } = await push(target);
    await target.workspace.sign(cosign, 'release', pinned, ...flags);
    return references;
  };

const signedByStranger =
  (cosign: Cosign) =>
  async (target: CaseRepository): Promise<readonly string[]> => {
    const { pinned, references } = await push(target);
    await target.workspace.sign(cosign, 'stranger', pinned);
    return references;
  };

const signedByBoth =
  (cosign: Cosign) =>
  async (target: CaseRepository): Promise<readonly string[]> => {
    const { pinned, references } = await push(target);
    await target.workspace.sign(cosign, 'release', pinned);
    await target.workspace.sign(cosign, 'stranger', pinned);
    return references;
  };

/** Pushes a signed image, and another image with a copy of its signature. */
const copiedSignature =
  (cosign: Cosign) =>
  async (target: CaseRepository): Promise<readonly string[]> => {
    const { workspace, repository } = target;
    const signed = await push(target);
    await workspace.sign(cosign, 'release', signed.pinned);
    const other = await push(target, `${repository} with a back door`);
    if (cosign === 'cosign 2')
      await workspace.crane('tag', `${repository}:${tagOf(signed.digest)}.sig`, `${tagOf(other.digest)}.sig`);
    else await target.copyReferrers(repository, signed.digest, other.digest);
    return other.references;
  };

const tagOf = (digest: string): string => digest.replace(':', '-');

const movedTag =
  (cosign: Cosign) =>
  async (target: CaseRepository): Promise<readonly string[]> => {
    const { pinned } = await push(target);
    await target.workspace.sign(cosign, 'release', pinned);
    const { references } = await push(target, `${target.repository}, rebuilt`);
    return references;
  };

/** Pushes an index of two platforms and signs it with these flags. `verified` picks the references to verify. */
export const signedIndex =
  (cosign: Cosign, verified: 'all' | 'children', ...flags: readonly string[]) =>
  async ({ workspace, repository }: CaseRepository): Promise<readonly string[]> => {
    const platforms = ['amd64', 'arm64'];
    const children = await Promise.all(
      platforms.map(async (platform) => {
        const digest = await workspace.pushImage(
          `${repository}:${TAG}-${platform}`,
          `${repository}-${platform}`,
        );
        return `${repository}@${digest}`;
      }),
    );
    const manifests = children.flatMap((child) => ['-m', child]);
    await workspace.crane('index', 'append', '-t', `${repository}:${TAG}`, ...manifests);
    const index = `${repository}@${await workspace.crane('digest', `${repository}:${TAG}`)}`;
    await workspace.sign(cosign, 'release', index, ...flags);
    return verified === 'all' ? [index, `${repository}:${TAG}`, ...children] : children;
  };

const attested =
  (key: string, cosign?: Cosign) =>
  async (target: CaseRepository): Promise<readonly string[]> => {
    const { pinned, references } = await push(target);
    if (cosign !== undefined) await target.workspace.sign(cosign, 'release', pinned);
    await target.workspace.attest(key, pinned);
    return references;
  };

const BUNDLES = ['cosign 3', 'cosign of Istio 1.31'] as const;

/** Refused by both. cosign exits with 1 if a bundle does not verify; sailmark with 12, as cosign does for `.sig`. */
const REFUSED: readonly CosignCase[] = [
  {
    name: 'an unsigned image',
    prepare: async (target) => (await push(target)).references,
    cosign: 10,
    sailmark: 10,
    legacy: true,
  },
  {
    name: 'a stranger’s .sig',
    prepare: signedByStranger('cosign 2'),
    cosign: 12,
    sailmark: 12,
    legacy: true,
  },
  {
    name: 'another image’s .sig',
    prepare: copiedSignature('cosign 2'),
    cosign: 12,
    sailmark: 12,
    legacy: true,
  },
  {
    name: 'a tag moved off what has a .sig',
    prepare: movedTag('cosign 2'),
    cosign: 10,
    sailmark: 10,
    legacy: true,
  },
  {
    name: 'a child where a .sig is on its index alone',
    prepare: signedIndex('cosign 2', 'children'),
    cosign: 10,
    sailmark: 10,
    legacy: true,
  },
  ...BUNDLES.flatMap((cosign): readonly CosignCase[] => [
    { name: `a stranger’s bundle by ${cosign}`, prepare: signedByStranger(cosign), cosign: 1, sailmark: 12 },
    {
      name: `another image’s bundle by ${cosign}`,
      prepare: copiedSignature(cosign),
      cosign: 1,
      sailmark: 12,
    },
    {
      name: `a tag moved off what has a bundle by ${cosign}`,
      prepare: movedTag(cosign),
      cosign: 10,
      sailmark: 10,
    },
  ]),
  {
    name: 'a child where a bundle is on its index alone',
    prepare: signedIndex('cosign 3', 'children'),
    cosign: 10,
    sailmark: 10,
  },
  { name: 'a stranger’s attestation alone', prepare: attested('stranger'), cosign: 1, sailmark: 10 },
];

/** Accepted by both, with the same JSON. */
const ACCEPTED: readonly CosignCase[] = [
  { name: 'a .sig', prepare: signedBy('cosign 2'), cosign: 0, sailmark: 0, legacy: true },
  {
    name: 'a .sig with annotations',
    prepare: signedBy('cosign 2', '-a', 'rel=1.30', '-a', 'by=<ci>'),
    cosign: 0,
    sailmark: 0,
    legacy: true,
  },
  { name: 'a .sig by two keys', prepare: signedByBoth('cosign 2'), cosign: 0, sailmark: 0, legacy: true },
  {
    name: 'an index and its children, each with a .sig',
    prepare: signedIndex('cosign 2', 'all', '--recursive'),
    cosign: 0,
    sailmark: 0,
    legacy: true,
  },
  ...BUNDLES.flatMap((cosign): readonly CosignCase[] => [
    { name: `a bundle by ${cosign}`, prepare: signedBy(cosign), cosign: 0, sailmark: 0 },
    { name: `bundles by two keys, by ${cosign}`, prepare: signedByBoth(cosign), cosign: 0, sailmark: 0 },
    {
      name: `an index and its children, each with a bundle by ${cosign}`,
      prepare: signedIndex(cosign, 'all', '--recursive'),
      cosign: 0,
      sailmark: 0,
    },
  ]),
  {
    name: 'a bundle with annotations',
    prepare: signedBy('cosign 3', '-a', 'rel=1.30', '-a', 'by=<ci>'),
    cosign: 0,
    sailmark: 0,
  },
  {
    name: 'a bundle beside a stranger’s attestation',
    prepare: attested('stranger', 'cosign 3'),
    cosign: 0,
    sailmark: 0,
  },
];

/** The only cases in which the two differ. */
const DIFFERENT: readonly CosignCase[] = [
  {
    name: 'an attestation by the release key alone, which signs no image',
    prepare: attested('release'),
    cosign: 0,
    sailmark: 10,
  },
  {
    name: 'a .sig beside a stranger’s attestation, which hides it from cosign 3',
    prepare: attested('stranger', 'cosign 2'),
    cosign: 1,
    sailmark: 0,
  },
];

export const cosignCases = { refused: REFUSED, accepted: ACCEPTED, different: DIFFERENT } as const;
