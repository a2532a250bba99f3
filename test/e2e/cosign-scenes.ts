import type { Cosign, Ground } from './ground.ts';

/** Where a scene is set: a repository of its own in one of the registries. */
export interface Stage {
  readonly ground: Ground;
  /** `127.0.0.1:5000/e2e/s1` */
  readonly repository: string;
  /** Makes what refers to one image refer to another, without signing anything. */
  readonly copyReferrers: (repository: string, from: string, to: string) => Promise<void>;
}

/** What somebody did to an image, and what the two programs say of it. */
export interface Scene {
  readonly what: string;
  /** Gives the references to verify; each must come to the same. */
  readonly set: (stage: Stage) => Promise<readonly string[]>;
  /** The exit code of `cosign verify --key release.pub --insecure-ignore-tlog` (cosign 3). */
  readonly cosign: number;
  readonly sailmark: number;
  /** cosign 2 is asked too: what it knows, the `.sig` tag, is all there is. */
  readonly legacy?: true;
}

const TAG = '1.30.0';

/** An image under a tag, and the two ways to name it. */
const push = async ({ ground, repository }: Stage, content = repository) => {
  const digest = await ground.pushImage(`${repository}:${TAG}`, content);
  return {
    digest,
    pinned: `${repository}@${digest}`,
    references: [`${repository}@${digest}`, `${repository}:${TAG}`],
  };
};

/** Pushes an image and signs it with the release key. */
export const signedBy =
  (cosign: Cosign, ...flags: readonly string[]) =>
  async (stage: Stage): Promise<readonly string[]> => {
    const { pinned, references } = await push(stage);
    await stage.ground.sign(cosign, 'release', pinned, ...flags);
    return references;
  };

const signedByStranger =
  (cosign: Cosign) =>
  async (stage: Stage): Promise<readonly string[]> => {
    const { pinned, references } = await push(stage);
    await stage.ground.sign(cosign, 'stranger', pinned);
    return references;
  };

const signedByBoth =
  (cosign: Cosign) =>
  async (stage: Stage): Promise<readonly string[]> => {
    const { pinned, references } = await push(stage);
    await stage.ground.sign(cosign, 'release', pinned);
    await stage.ground.sign(cosign, 'stranger', pinned);
    return references;
  };

/** A signed image, and another that is given its signature. */
const copiedSignature =
  (cosign: Cosign) =>
  async (stage: Stage): Promise<readonly string[]> => {
    const { ground, repository } = stage;
    const signed = await push(stage);
    await ground.sign(cosign, 'release', signed.pinned);
    const other = await push(stage, `${repository} with a back door`);
    if (cosign === 'cosign 2')
      await ground.crane('tag', `${repository}:${tagOf(signed.digest)}.sig`, `${tagOf(other.digest)}.sig`);
    else await stage.copyReferrers(repository, signed.digest, other.digest);
    return other.references;
  };

const tagOf = (digest: string): string => digest.replace(':', '-');

const movedTag =
  (cosign: Cosign) =>
  async (stage: Stage): Promise<readonly string[]> => {
    const { pinned } = await push(stage);
    await stage.ground.sign(cosign, 'release', pinned);
    const { references } = await push(stage, `${stage.repository}, rebuilt`);
    return references;
  };

/** An index of two platforms. `asked` picks what is verified of what was signed with these flags. */
export const signedIndex =
  (cosign: Cosign, asked: 'all' | 'children', ...flags: readonly string[]) =>
  async ({ ground, repository }: Stage): Promise<readonly string[]> => {
    const platforms = ['amd64', 'arm64'];
    const children = await Promise.all(
      platforms.map(async (platform) => {
        const digest = await ground.pushImage(
          `${repository}:${TAG}-${platform}`,
          `${repository}-${platform}`,
        );
        return `${repository}@${digest}`;
      }),
    );
    const manifests = children.flatMap((child) => ['-m', child]);
    await ground.crane('index', 'append', '-t', `${repository}:${TAG}`, ...manifests);
    const index = `${repository}@${await ground.crane('digest', `${repository}:${TAG}`)}`;
    await ground.sign(cosign, 'release', index, ...flags);
    return asked === 'all' ? [index, `${repository}:${TAG}`, ...children] : children;
  };

const attested =
  (key: string, cosign?: Cosign) =>
  async (stage: Stage): Promise<readonly string[]> => {
    const { pinned, references } = await push(stage);
    if (cosign !== undefined) await stage.ground.sign(cosign, 'release', pinned);
    await stage.ground.attest(key, pinned);
    return references;
  };

const BUNDLES = ['cosign 3', 'cosign of Istio 1.31'] as const;

/** Refused by both. cosign ends with 1 wherever a bundle does not verify; we say 12, as it does for `.sig`. */
const REFUSED: readonly Scene[] = [
  {
    what: 'an unsigned image',
    set: async (stage) => (await push(stage)).references,
    cosign: 10,
    sailmark: 10,
    legacy: true,
  },
  { what: 'a stranger’s .sig', set: signedByStranger('cosign 2'), cosign: 12, sailmark: 12, legacy: true },
  { what: 'another image’s .sig', set: copiedSignature('cosign 2'), cosign: 12, sailmark: 12, legacy: true },
  {
    what: 'a tag moved off what has a .sig',
    set: movedTag('cosign 2'),
    cosign: 10,
    sailmark: 10,
    legacy: true,
  },
  {
    what: 'a child where a .sig is on its index alone',
    set: signedIndex('cosign 2', 'children'),
    cosign: 10,
    sailmark: 10,
    legacy: true,
  },
  ...BUNDLES.flatMap((cosign): readonly Scene[] => [
    { what: `a stranger’s bundle by ${cosign}`, set: signedByStranger(cosign), cosign: 1, sailmark: 12 },
    { what: `another image’s bundle by ${cosign}`, set: copiedSignature(cosign), cosign: 1, sailmark: 12 },
    {
      what: `a tag moved off what has a bundle by ${cosign}`,
      set: movedTag(cosign),
      cosign: 10,
      sailmark: 10,
    },
  ]),
  {
    what: 'a child where a bundle is on its index alone',
    set: signedIndex('cosign 3', 'children'),
    cosign: 10,
    sailmark: 10,
  },
  { what: 'a stranger’s attestation alone', set: attested('stranger'), cosign: 1, sailmark: 10 },
];

/** Accepted by both, with the same JSON. */
const ACCEPTED: readonly Scene[] = [
  { what: 'a .sig', set: signedBy('cosign 2'), cosign: 0, sailmark: 0, legacy: true },
  {
    what: 'a .sig with annotations',
    set: signedBy('cosign 2', '-a', 'rel=1.30', '-a', 'by=<ci>'),
    cosign: 0,
    sailmark: 0,
    legacy: true,
  },
  { what: 'a .sig by two keys', set: signedByBoth('cosign 2'), cosign: 0, sailmark: 0, legacy: true },
  {
    what: 'an index and its children, each with a .sig',
    set: signedIndex('cosign 2', 'all', '--recursive'),
    cosign: 0,
    sailmark: 0,
    legacy: true,
  },
  ...BUNDLES.flatMap((cosign): readonly Scene[] => [
    { what: `a bundle by ${cosign}`, set: signedBy(cosign), cosign: 0, sailmark: 0 },
    { what: `bundles by two keys, by ${cosign}`, set: signedByBoth(cosign), cosign: 0, sailmark: 0 },
    {
      what: `an index and its children, each with a bundle by ${cosign}`,
      set: signedIndex(cosign, 'all', '--recursive'),
      cosign: 0,
      sailmark: 0,
    },
  ]),
  {
    what: 'a bundle with annotations',
    set: signedBy('cosign 3', '-a', 'rel=1.30', '-a', 'by=<ci>'),
    cosign: 0,
    sailmark: 0,
  },
  {
    what: 'a bundle beside a stranger’s attestation',
    set: attested('stranger', 'cosign 3'),
    cosign: 0,
    sailmark: 0,
  },
];

/** Where the two differ, and nowhere else. */
const DIFFERENT: readonly Scene[] = [
  {
    what: 'an attestation by the release key alone, which signs no image',
    set: attested('release'),
    cosign: 0,
    sailmark: 10,
  },
  {
    what: 'a .sig beside a stranger’s attestation, which hides it from cosign 3',
    set: attested('stranger', 'cosign 2'),
    cosign: 1,
    sailmark: 0,
  },
];

export const scenes = { refused: REFUSED, accepted: ACCEPTED, different: DIFFERENT } as const;
