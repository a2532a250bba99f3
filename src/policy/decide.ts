import {
  genericContainerNames,
  istioContainerNames,
  mentionsIstio,
  placeholderImage,
} from '../istio/index.ts';
import type { Decision, Effect, Finding, ImageUse, Judgement, Verdict } from './decision.ts';
import { findExemption } from './exemption.ts';
import { outageAllowance } from './outage.ts';
import { type Reason, rankOf } from './reason.ts';
import { type Mode, mustPin, type Rules } from './rules.ts';

/** A review whose images are judged: everything that a decision depends on besides the rules and the time. */
export interface JudgedReview {
  readonly uses: readonly ImageUse[];
  /** By image text; contains every image of `uses`. */
  readonly judgements: ReadonlyMap<string, Judgement>;
  readonly mode: Mode;
  /** True for a critical namespace, which has its own choice for undetermined images. */
  readonly critical: boolean;
  readonly namespace: string;
  /** A template only warns: it may still contain a placeholder that injection replaces, and its Pods are reviewed. */
  readonly workload: 'pod' | 'template';
  /** True if the findings of a template are to say which of them would deny its Pods. */
  readonly foretells?: boolean;
}

/** A reason and the action of the rules for it, before mode, workload and exemptions are applied. */
interface Violation {
  readonly reason: Reason;
  readonly action: 'deny' | 'warn';
  readonly allowedBecause?: string;
}

const violationIf = (reason: Reason, rule: 'deny' | 'warn' | 'ignore'): readonly Violation[] =>
  rule === 'ignore' ? [] : [{ reason, action: rule }];

const isContainer = (use: ImageUse): boolean => use.kind !== 'image-volume';

const isPlaceholder = (use: ImageUse): boolean => isContainer(use) && use.image === placeholderImage;

/** A generic name counts together with something else of Istio's: an image with a word of its, or a pod of istiod's. */
const hasIstioName = (use: ImageUse): boolean =>
  isContainer(use) &&
  (istioContainerNames.has(use.name) ||
    (genericContainerNames.has(use.name) && (use.inIstiod === true || mentionsIstio(use.image))));

/**
 * A text that is not a valid reference is refused if its digest is revoked, or if it could be Istio's. Otherwise the
 * kubelet refuses it, or it is of no interest.
 */
const violationsOfInvalid = (use: ImageUse, { refused, couldBeIstio }: Judgement): readonly Violation[] =>
  refused !== undefined && (refused.code === 'image-revoked' || hasIstioName(use) || couldBeIstio)
    ? violationIf(refused, 'deny')
    : [];

/**
 * An image without a digest where one is required. A template need not be pinned: its Pods are. A critical namespace only
 * warns of an image that was not pinned, because its Pods start without sailmark too.
 */
const violationsOfUnpinned = (
  { reference, verification }: Judgement,
  { mode, critical, workload }: JudgedReview,
  rules: Rules,
): readonly Violation[] => {
  if (reference?.digest !== undefined) return [];
  const isToBePinned = mustPin(rules, mode);
  const isPod = workload === 'pod';
  if (rules.requireDigest && (isPod || !isToBePinned))
    return violationIf({ code: 'image-not-pinned' }, 'deny');
  if (!isToBePinned || !isPod) return [];
  const isUndetermined = verification?.outcome === 'undetermined';
  if (critical) return isUndetermined ? [] : violationIf({ code: 'image-not-pinned', pin: {} }, 'warn');
  const pin = isUndetermined ? { undetermined: verification.reason } : {};
  return violationIf({ code: 'image-not-pinned', pin }, 'deny');
};

/** False if the image was not pinned because it could not be verified: the reason for that tells more. */
const isByAuthor = ({ reason }: Violation): boolean =>
  reason.code !== 'image-not-pinned' || reason.pin === undefined;

const violationsOfIstio = (
  judgement: Judgement,
  review: JudgedReview,
  rules: Rules,
  now: number,
): readonly Violation[] => {
  const { verification } = judgement;
  if (verification === undefined) throw new Error(`no verification of ${judgement.image}`);
  const unpinned = violationsOfUnpinned(judgement, review, rules);
  switch (verification.outcome) {
    case 'verified':
      return unpinned;
    case 'rejected':
      return [...violationIf(verification.reason, 'deny'), ...unpinned];
    case 'undetermined': {
      const { enforce, critical: inCritical, tagOutageWindow } = rules.undetermined;
      const choice = review.critical ? inCritical : enforce;
      const allowedBecause = outageAllowance(verification, choice, tagOutageWindow, now);
      const { reason } = verification;
      return allowedBecause === undefined
        ? [{ reason, action: 'deny' }, ...unpinned.filter(isByAuthor)]
        : [{ reason, action: 'warn', allowedBecause }, ...unpinned];
    }
    default:
      return verification satisfies never;
  }
};

/** An image on no hub or mirror violates the rules if it looks like Istio's, or is in a container of Istio's. */
const violationsOfOthers = (use: ImageUse, judgement: Judgement, rules: Rules): readonly Violation[] => {
  const placeholder = isPlaceholder(use);
  const unrecognised =
    placeholder || hasIstioName(use)
      ? violationIf({ code: 'image-unrecognised', container: use.name, placeholder }, rules.unrecognised)
      : [];
  if (judgement.class?.kind !== 'look-alike') return unrecognised;
  const { kind: _, ...lookAlike } = judgement.class;
  return [...violationIf({ code: 'image-look-alike', ...lookAlike }, rules.lookAlikes), ...unrecognised];
};

const violationsOf = (
  use: ImageUse,
  judgement: Judgement,
  review: JudgedReview,
  rules: Rules,
  now: number,
): readonly Violation[] => {
  if (review.workload === 'template' && isPlaceholder(use)) return [];
  if (judgement.reference === undefined) return violationsOfInvalid(use, judgement);
  if (judgement.refused !== undefined) return violationIf(judgement.refused, 'deny');
  return judgement.class?.kind === 'istio'
    ? violationsOfIstio(judgement, review, rules, now)
    : violationsOfOthers(use, judgement, rules);
};

/** Returns a violation that denies before one that warns, then the one with the most serious reason. */
const mostSerious = (violations: readonly Violation[]): Violation | undefined =>
  violations.reduce<Violation | undefined>((worst, violation) => {
    if (worst === undefined) return violation;
    if (worst.action !== violation.action) return worst.action === 'deny' ? worst : violation;
    return rankOf(violation.reason.code) < rankOf(worst.reason.code) ? violation : worst;
  }, undefined);

const effectOf = (
  action: Violation['action'],
  { mode, workload }: Pick<JudgedReview, 'mode' | 'workload'>,
): Exclude<Effect, 'exempt'> => {
  if (mode === 'audit') return 'audit';
  return mode === 'warn' || workload === 'template' ? 'warn' : action;
};

const findingOf = (use: ImageUse, review: JudgedReview, rules: Rules, now: number): Finding | undefined => {
  const judgement = review.judgements.get(use.image);
  if (judgement === undefined) throw new Error(`no judgement of ${use.image}`);
  const violation = mostSerious(violationsOf(use, judgement, review, rules, now));
  if (violation === undefined) return undefined;
  const { reason, action, allowedBecause } = violation;
  const exemption = findExemption(
    rules.exemptions,
    reason.code,
    judgement.reference,
    review.namespace,
    now,
    judgement.tagDigest,
  );
  if (exemption !== undefined) {
    const { expires, owner, reason: why } = exemption;
    return { use, reason, effect: 'exempt', allowedBecause: `exempt until ${expires} (${owner}): ${why}` };
  }
  return {
    use,
    reason,
    effect: effectOf(action, review),
    ...(review.foretells === true && action === 'deny' && review.mode === 'enforce'
      ? { refusesPods: true as const }
      : {}),
    ...(allowedBecause === undefined ? {} : { allowedBecause }),
  };
};

const EFFECTS = ['deny', 'warn', 'audit'] as const;

const verdictOf = (findings: readonly Finding[]): Verdict =>
  EFFECTS.find((effect) => findings.some((finding) => finding.effect === effect)) ?? 'allow';

/**
 * Decides a judged review. No other function applies modes, outage rules and exemptions to a
 * review; `decidePin` applies the last two to a pin. Pure; `now` is in milliseconds.
 * An image use has no finding only if its image is verified, or is not Istio's. The findings in warn and audit mode are
 * those of enforce mode, except where only enforce mode pins. Throws if the image of a use was not judged.
 */
export const decide = (review: JudgedReview, rules: Rules, now: number): Decision => {
  const findings: Finding[] = [];
  for (const use of review.uses) {
    const finding = findingOf(use, review, rules, now);
    if (finding !== undefined) findings.push(finding);
  }
  return { verdict: verdictOf(findings), findings };
};

/** Decides a review that failed with an internal error. No choice of the configuration allows it. */
export const decideFailure = (mode: Mode, workload: JudgedReview['workload']): Exclude<Verdict, 'allow'> =>
  effectOf('deny', { mode, workload });
