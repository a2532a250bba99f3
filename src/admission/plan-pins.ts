import { type Digest, droppedDigest, pinReference } from '../image/index.ts';
import {
  decidePin,
  type ImageUse,
  type Judge,
  type Judgement,
  type PinContext,
  type PinDecision,
  type Reason,
  type Rules,
} from '../policy/index.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { findSubject, type SkipReason } from './subject.ts';

/** An image use that is pinned. */
export interface PinnedUse {
  readonly use: ImageUse;
  /** The reference as written, with the digest appended. */
  readonly pinned: string;
  readonly digest: Digest;
  /** `previous`: the object had this digest before the update. */
  readonly source: Extract<PinDecision, { source: string }>['source'] | 'previous';
  /** The reason why the image is not verified; undefined if it is, or was not judged. */
  readonly reason: Reason | undefined;
  /** One sentence on the outage rule; absent if none applies. */
  readonly allowedBecause?: string;
}

/** An Istio image use without a digest that is not pinned. */
export interface UnpinnedUse {
  readonly use: ImageUse;
  readonly reason: Reason;
}

export interface Pins {
  /** In the order of the images in the object. */
  readonly pinned: readonly PinnedUse[];
  readonly unpinned: readonly UnpinnedUse[];
}

/** The pins of a request once its images are judged, or the reason why it has none. */
export type PinPlan =
  | { readonly skipped: SkipReason | 'template' }
  | {
      readonly skipped: undefined;
      /** The uses to judge. */
      readonly uses: readonly ImageUse[];
      readonly close: (judgements: ReadonlyMap<string, Judgement>) => Pins;
    };

interface PlanDependencies {
  readonly judge: Pick<Judge, 'inspect'>;
  readonly rules: Rules;
  /** Milliseconds. */
  readonly now: () => number;
}

const placeOf = ({ kind, name }: ImageUse): string => `${kind}\n${name}`;

/** Finds the pins of an update that only drops a digest: the image before it, unless its digest is revoked. */
const createRestore = (before: readonly ImageUse[], { inspect }: Pick<Judge, 'inspect'>) => {
  const previous = new Map(before.map((use) => [placeOf(use), use.image]));
  return (use: ImageUse): PinnedUse | undefined => {
    const image = previous.get(placeOf(use));
    const [old, current] = [image === undefined ? undefined : inspect(image), inspect(use.image)];
    if (old?.reference === undefined || current.reference === undefined || old.refused !== undefined)
      return undefined;
    const digest = droppedDigest(old.reference, current.reference);
    const pinned = digest && pinReference(current.reference, digest);
    return digest === undefined || pinned === undefined
      ? undefined
      : { use, pinned, digest, source: 'previous', reason: undefined };
  };
};

const pinUse = (
  use: ImageUse,
  judgement: Judgement | undefined,
  context: PinContext,
  { rules, now }: PlanDependencies,
): PinnedUse | UnpinnedUse => {
  if (judgement === undefined) throw new Error(`no judgement of ${use.image}`);
  const decision = decidePin(judgement, context, rules, now());
  if (decision.digest === undefined) return { use, reason: decision.reason };
  const pinned = judgement.reference && pinReference(judgement.reference, decision.digest);
  return pinned === undefined
    ? { use, reason: { code: 'image-reference-invalid', problem: 'no digest can be appended to the text' } }
    : { use, pinned, ...decision };
};

/** Only an ephemeral container can be added through this subresource; the API server ignores other changes. */
const canChange = ({ subResource }: AdmissionRequest, { kind }: ImageUse): boolean =>
  subResource !== 'ephemeralcontainers' || kind === 'ephemeral-container';

/**
 * Plans the pins of a request: of each new or changed Istio image without a digest. Templates have none unless they are
 * asked for: their Pods are pinned. Throws `MalformedReview`, as `findSubject` does.
 */
export const planPins = (
  request: AdmissionRequest,
  { critical, templates = false }: { readonly critical: boolean; readonly templates?: boolean },
  dependencies: PlanDependencies,
): PinPlan => {
  const subject = findSubject(request);
  if (subject.skipped !== undefined) return subject;
  if (subject.holds === 'template' && !templates) return { skipped: 'template' };
  const { inspect } = dependencies.judge;
  const restore = createRestore(subject.before, dependencies.judge);
  const candidates = subject.uses.filter((use) => {
    const { class: imageClass, reference } = inspect(use.image);
    return imageClass?.kind === 'istio' && reference?.digest === undefined && canChange(request, use);
  });
  const restored = new Map(candidates.map((use) => [use, restore(use)]));
  return {
    skipped: undefined,
    uses: candidates.filter((use) => restored.get(use) === undefined),
    close: (judgements) => {
      const context = { namespace: request.namespace, critical };
      const results = candidates.map(
        (use) => restored.get(use) ?? pinUse(use, judgements.get(use.image), context, dependencies),
      );
      return {
        pinned: results.flatMap((result) => ('pinned' in result ? [result] : [])),
        unpinned: results.flatMap((result) => ('pinned' in result ? [] : [result])),
      };
    },
  };
};
