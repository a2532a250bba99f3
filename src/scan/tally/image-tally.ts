import type { Judgement, Reason } from '../../policy/index.ts';
import type { JudgedUse } from '../judge/judge-object.ts';
import type { Shares } from '../judge/shares.ts';
import { rankOfStatus } from '../judge/status.ts';
import type { ScannedUse, ScanStatus } from '../scan-result.ts';
import { boundedText, type TallyLimits } from './tally-limits.ts';

/** The object that has the uses, and its owner. */
export interface UsedBy {
  readonly namespace: string;
  /** `Deployment/httpbin`. */
  readonly owner: string;
  /** False: it is a template. */
  readonly isPod: boolean;
}

/** One image as known so far. */
export interface TalliedImage {
  /** As written, bounded. */
  readonly reference: string;
  /** The most serious use decides, as for the next three. */
  status: ScanStatus;
  reason: Reason | null;
  message: string;
  container: string;
  judgement: Judgement | undefined;
  pods: number;
  /** Pods that have a finding because of it, which no exemption lifts. */
  podsWithFinding: number;
  readonly uses: Map<string, ScannedUse>;
  omittedUses: number;
}

/** Collects the uses of images. */
export interface ImageTally {
  add(usedBy: UsedBy, uses: readonly JudgedUse[]): void;
  images(): readonly TalliedImage[];
  /** The number of uses of images that are not listed. */
  omitted(): number;
}

const hasFinding = ({ reason, status }: Pick<JudgedUse, 'reason' | 'status'>): boolean =>
  reason !== null && status !== 'exempt';

const createImage = (reference: string, use: JudgedUse): TalliedImage => ({
  reference,
  status: use.status,
  reason: use.reason,
  message: use.message,
  container: boundedText(use.container),
  judgement: use.judgement,
  pods: 0,
  podsWithFinding: 0,
  uses: new Map(),
  omittedUses: 0,
});

const worsen = (image: TalliedImage, use: JudgedUse): void => {
  image.judgement ??= use.judgement;
  if (rankOfStatus(use.status) >= rankOfStatus(image.status)) return;
  const { status, reason, message, container, judgement = image.judgement } = use;
  Object.assign(image, { status, reason, message, judgement, container: boundedText(container) });
};

const mergeUse = (
  before: ScannedUse | undefined,
  use: JudgedUse,
  usedBy: UsedBy,
  pods: number,
): ScannedUse => {
  if (before !== undefined && (before.reason !== null || use.reason === null))
    return { ...before, pods: before.pods + pods };
  return {
    namespace: usedBy.namespace,
    owner: usedBy.owner,
    container: boundedText(use.container),
    path: boundedText(use.path),
    pods: (before?.pods ?? 0) + pods,
    effect: use.effect,
    reason: use.reason?.code ?? null,
  };
};

/** An image in one object. */
interface InObject {
  readonly containers: Set<string>;
  hasFinding: boolean;
}

/** `shares` bounds the images, by namespace. */
export const createImageTally = (limits: TallyLimits, shares: Shares): ImageTally => {
  const images = new Map<string, TalliedImage>();
  let listedUses = 0;
  const imageOf = (use: JudgedUse, namespace: string): TalliedImage | undefined => {
    const reference = boundedText(use.image);
    const known = images.get(reference);
    if (known !== undefined || !shares.take(namespace)) return known;
    const image = createImage(reference, use);
    images.set(reference, image);
    return image;
  };
  const addUse = (image: TalliedImage, use: JudgedUse, usedBy: UsedBy, pods: number): void => {
    const key = JSON.stringify([usedBy.namespace, usedBy.owner, boundedText(use.container)]);
    const before = image.uses.get(key);
    if (before === undefined) {
      if (image.uses.size >= limits.usesPerImage || listedUses >= limits.uses) {
        image.omittedUses += 1;
        return;
      }
      listedUses += 1;
    }
    image.uses.set(key, mergeUse(before, use, usedBy, pods));
  };
  return {
    add(usedBy, uses) {
      const seen = new Map<TalliedImage, InObject>();
      for (const use of uses) {
        const image = imageOf(use, usedBy.namespace);
        if (image === undefined) continue;
        worsen(image, use);
        const inObject = seen.get(image) ?? { containers: new Set<string>(), hasFinding: false };
        seen.set(image, inObject);
        addUse(image, use, usedBy, usedBy.isPod && !inObject.containers.has(use.container) ? 1 : 0);
        inObject.containers.add(use.container);
        inObject.hasFinding ||= hasFinding(use);
      }
      if (!usedBy.isPod) return;
      for (const [image, inObject] of seen) {
        image.pods += 1;
        if (inObject.hasFinding) image.podsWithFinding += 1;
      }
    },
    images: () => [...images.values()],
    omitted: shares.refused,
  };
};
