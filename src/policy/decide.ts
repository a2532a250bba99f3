import { istioContainerNames, placeholderImage } from '../istio/index.ts';
import type { Decision, Effect, Finding, ImageUse, Judgement, Verdict } from './decision.ts';
import { findExemption } from './exemption.ts';
import { outageSentence } from './outage.ts';
import { type Reason, rankOf } from './reason.ts';
import type { Mode, Rules } from './rules.ts';

/** One review, judged: everything that a decision depends on besides the rules and the time. */
export interface JudgedReview {
  readonly uses: readonly ImageUse[];
  /** By image text; holds every image of `uses`. */
  readonly judgements: ReadonlyMap<string, Judgement>;
  readonly mode: Mode;
  /** A critical namespace: it has its own choice of what *undetermined* means. */
  readonly critical: boolean;
  readonly namespace: string;
  /** A template's verdicts are warnings: it may still hold what injection replaces, and the Pod is the gate. */
  readonly workload: 'pod' | 'template';
}

/** A reason that stands, with what the rules want for it before mode, workload and exemptions. */
interface Charge {
  readonly reason: Reason;
  readonly wish: 'deny' | 'warn';
  readonly letThrough?: string;
}

const charged = (reason: Reason, rule: 'deny' | 'warn' | 'ignore'): readonly Charge[] =>
  rule === 'ignore' ? [] : [{ reason, wish: rule }];

const isContainer = (use: ImageUse): boolean => use.kind !== 'image-volume';

const isPlaceholder = (use: ImageUse): boolean => isContainer(use) && use.image === placeholderImage;

const isNamedAsIstios = (use: ImageUse): boolean => isContainer(use) && istioContainerNames.has(use.name);

/** No reference at all: ours to refuse where it could be Istio's, the kubelet's otherwise. */
const chargesOfInvalid = (use: ImageUse, { refused, couldBeIstio }: Judgement): readonly Charge[] =>
  refused !== undefined && (isNamedAsIstios(use) || couldBeIstio) ? charged(refused, 'deny') : [];

const chargesOfIstio = (
  judgement: Judgement,
  { critical }: JudgedReview,
  rules: Rules,
  now: number,
): readonly Charge[] => {
  const { reference, verification } = judgement;
  if (verification === undefined) throw new Error(`no verification of ${judgement.image}`);
  const pinning = rules.requireDigest && reference?.digest === undefined;
  const unpinned = pinning ? charged({ code: 'image-not-pinned' }, 'deny') : [];
  switch (verification.outcome) {
    case 'verified':
      return unpinned;
    case 'rejected':
      return [...charged(verification.reason, 'deny'), ...unpinned];
    case 'undetermined': {
      const { enforce, critical: inCritical, tagOutageWindow } = rules.undetermined;
      const letThrough = outageSentence(verification, critical ? inCritical : enforce, tagOutageWindow, now);
      const { reason } = verification;
      return [
        letThrough === undefined ? { reason, wish: 'deny' } : { reason, wish: 'warn', letThrough },
        ...unpinned,
      ];
    }
    default:
      return verification satisfies never;
  }
};

/** On no hub or mirror: it may only look like Istio's, or stand where Istio's should. */
const chargesOfOthers = (use: ImageUse, judgement: Judgement, rules: Rules): readonly Charge[] => {
  const placeholder = isPlaceholder(use);
  const unrecognised =
    placeholder || isNamedAsIstios(use)
      ? charged({ code: 'image-unrecognised', container: use.name, placeholder }, rules.unrecognised)
      : [];
  if (judgement.class?.kind !== 'look-alike') return unrecognised;
  const { component, vendor } = judgement.class;
  return [...charged({ code: 'image-look-alike', component, vendor }, rules.lookAlikes), ...unrecognised];
};

const chargesOf = (
  use: ImageUse,
  judgement: Judgement,
  review: JudgedReview,
  rules: Rules,
  now: number,
): readonly Charge[] => {
  if (review.workload === 'template' && isPlaceholder(use)) return [];
  if (judgement.reference === undefined) return chargesOfInvalid(use, judgement);
  if (judgement.refused !== undefined) return charged(judgement.refused, 'deny');
  return judgement.class?.kind === 'istio'
    ? chargesOfIstio(judgement, review, rules, now)
    : chargesOfOthers(use, judgement, rules);
};

/** Of several, what denies before what warns, then the most serious reason. */
const gravest = (charges: readonly Charge[]): Charge | undefined =>
  charges.reduce<Charge | undefined>((worst, charge) => {
    if (worst === undefined) return charge;
    if (worst.wish !== charge.wish) return worst.wish === 'deny' ? worst : charge;
    return rankOf(charge.reason.code) < rankOf(worst.reason.code) ? charge : worst;
  }, undefined);

const effectOf = (
  wish: Charge['wish'],
  { mode, workload }: Pick<JudgedReview, 'mode' | 'workload'>,
): Exclude<Effect, 'exempt'> => {
  if (mode === 'audit') return 'audit';
  return mode === 'warn' || workload === 'template' ? 'warn' : wish;
};

const findingOf = (use: ImageUse, review: JudgedReview, rules: Rules, now: number): Finding | undefined => {
  const judgement = review.judgements.get(use.image);
  if (judgement === undefined) throw new Error(`no judgement of ${use.image}`);
  const charge = gravest(chargesOf(use, judgement, review, rules, now));
  if (charge === undefined) return undefined;
  const { reason, wish, letThrough } = charge;
  const exemption = findExemption(rules.exemptions, reason.code, judgement.reference, review.namespace, now);
  if (exemption !== undefined) {
    const { expires, owner, reason: why } = exemption;
    return { use, reason, effect: 'exempt', letThrough: `exempt until ${expires} (${owner}): ${why}` };
  }
  return { use, reason, effect: effectOf(wish, review), ...(letThrough === undefined ? {} : { letThrough }) };
};

const EFFECTS = ['deny', 'warn', 'audit'] as const;

const verdictOf = (findings: readonly Finding[]): Verdict =>
  EFFECTS.find((effect) => findings.some((finding) => finding.effect === effect)) ?? 'allow';

/**
 * Decides a judged review: the only place that knows modes, components and outages. Pure; `now` in milliseconds.
 * An image use is let through only where its image is verified, or is none of ours. In warn and audit mode a finding
 * is what enforce mode would have found. Throws where a use's image was not judged.
 */
export const decide = (review: JudgedReview, rules: Rules, now: number): Decision => {
  const findings: Finding[] = [];
  for (const use of review.uses) {
    const finding = findingOf(use, review, rules, now);
    if (finding !== undefined) findings.push(finding);
  }
  return { verdict: verdictOf(findings), findings };
};

/** What becomes of a review that could not be judged at all. No choice of the configuration lets it through. */
export const decideFailure = (mode: Mode, workload: JudgedReview['workload']): Exclude<Verdict, 'allow'> =>
  effectOf('deny', { mode, workload });
