import { LRUCache } from 'lru-cache';
import type { ImageReference } from '../../image/index.ts';
import { type Judge, type Judgement, needsVerification } from '../../policy/index.ts';
import type { Verification, Verified } from '../../verification/index.ts';
import { createRegistryLanes, defaultLaneLimits, type LaneLimits } from './registry-lanes.ts';
import { createShares } from './shares.ts';

/** Distinct images that one scan verifies. A namespace alone may name half of them. */
const MAX_IMAGES = 25_000;

/** Images in progress that are named as such. */
const MAX_CURRENT = 3;

export interface ScanJudgeOptions {
  /** The judge of the webhook. */
  readonly judge: Judge;
  /** Milliseconds for each image. */
  readonly timeout: number;
  /** Ends everything. */
  readonly signal: AbortSignal;
  readonly limits?: LaneLimits;
  readonly maxImages?: number;
}

/** A judge that asks about each image once in its life, however many pods have it and whatever the answer is. */
export interface ScanJudge extends Judge {
  /** The number of images that were verified, and the requests that this took. */
  readonly cost: () => { readonly images: number; readonly requests: number };
  /** Some of the images that are being verified. */
  readonly current: () => readonly string[];
  /** The images that were not asked about, one sentence each. */
  readonly cut: () => readonly string[];
}

const keyOf = ({ repository, tag, digest }: ImageReference): string =>
  `${repository.name}:${tag ?? ''}@${digest ?? ''}`;

/** Leaves out what takes memory and no decision needs: the signed bytes. */
const withoutPayloads = (verified: Verified): Verified => {
  const [first, ...others] = verified.signatures;
  const strip = (signature: typeof first): typeof first => ({
    ...signature,
    payload: '',
    logBundle: undefined,
  });
  return { ...verified, signatures: [strip(first), ...others.map(strip)] };
};

const slim = (verification: Verification | undefined): Verification | undefined => {
  if (verification?.outcome === 'verified') return withoutPayloads(verification);
  if (verification?.outcome !== 'undetermined' || verification.lastVerified === undefined)
    return verification;
  const { resolvedAt, verified } = verification.lastVerified;
  return { ...verification, lastVerified: { resolvedAt, verified: withoutPayloads(verified) } };
};

const pastBudget = (namespace: string): Verification => ({
  outcome: 'undetermined',
  digest: undefined,
  requests: 0,
  fromMemory: false,
  reason: { code: 'request-budget-exceeded', namespace },
});

/** Creates the function that verifies an image, whatever was verified before, and counts. */
const createVerifications = ({ judge, timeout, signal }: ScanJudgeOptions) => {
  const inProgress = new Set<string>();
  let [images, requests] = [0, 0];
  return {
    verify: async (image: string): Promise<Judgement> => {
      inProgress.add(image);
      images += 1;
      try {
        const judgement = await judge.judge(image, AbortSignal.any([signal, AbortSignal.timeout(timeout)]));
        requests += judgement.verification?.requests ?? 0;
        return { ...judgement, verification: slim(judgement.verification) };
      } finally {
        inProgress.delete(image);
      }
    },
    cost: () => ({ images, requests }),
    current: () => [...inProgress].slice(0, MAX_CURRENT),
  };
};

/**
 * Creates the judge of one scan. The namespace of a review decides nothing but how many images it may name: credentials
 * belong to registries, not to namespaces, and sailmark itself asks, so no budget of the webhook is charged.
 */
export const createScanJudge = (options: ScanJudgeOptions): ScanJudge => {
  const { judge, limits = defaultLaneLimits, maxImages = MAX_IMAGES } = options;
  const settled = new LRUCache<string, Judgement>({ max: maxImages });
  const inFlight = new Map<string, Promise<Judgement>>();
  const verifications = createVerifications(options);
  const lanes = createRegistryLanes(limits, () => performance.now());
  const shares = createShares(maxImages);

  const ask = async (seen: Judgement, reference: ImageReference, namespace: string): Promise<Judgement> => {
    const key = keyOf(reference);
    const known = settled.get(key) ?? inFlight.get(key);
    if (known !== undefined) return known;
    // The digest that an image was pinned to is in the verifier's memory: it costs nothing.
    const recalled = judge.recall(seen.image);
    if (recalled !== undefined) return recalled;
    if (!shares.take(namespace)) return { ...seen, verification: pastBudget(namespace) };
    const skip = (verification: Verification): Judgement => ({ ...seen, verification });
    const asked = lanes.verify(reference.repository.registry, () => verifications.verify(seen.image), skip);
    inFlight.set(key, asked);
    try {
      const judgement = await asked;
      settled.set(key, judgement);
      return judgement;
    } finally {
      inFlight.delete(key);
    }
  };

  const cut = (): readonly string[] => [
    ...[...lanes.skipped()].map(
      ([registry, count]) =>
        `${registry} did not answer, so it was not asked about ${count} more images: they are unknown.`,
    ),
    ...(shares.refused() === 0
      ? []
      : [
          `More than ${maxImages / 2} images of one namespace, or ${maxImages} in all, were named: the others are unknown.`,
        ]),
  ];

  return {
    inspect: judge.inspect,
    recall: (image) => {
      const seen = judge.inspect(image);
      if (!needsVerification(seen) || seen.reference === undefined) return seen;
      const known = settled.get(keyOf(seen.reference));
      return known && { ...known, image, reference: seen.reference };
    },
    judge: async (image, _signal, { requester = '' } = {}) => {
      const seen = judge.inspect(image);
      if (!needsVerification(seen) || seen.reference === undefined) return seen;
      return { ...(await ask(seen, seen.reference, requester)), image, reference: seen.reference };
    },
    cost: verifications.cost,
    current: verifications.current,
    cut,
  };
};
