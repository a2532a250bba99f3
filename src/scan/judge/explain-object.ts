import type { ObjectResult } from '../../admission/index.ts';
import {
  type Effect,
  explain,
  explainBriefly,
  explainRefusal,
  type Finding,
  rankOf,
} from '../../policy/index.ts';

/** Characters, as of a denial. */
const MAX_LENGTH = 512;

/** Explains one finding: a denial in its own words, and what lets the image start if something does. */
export const explainFinding = (finding: Finding, effect: Effect | null): string =>
  finding.allowedBecause === undefined || effect === 'deny'
    ? explain(finding.reason, finding.use)
    : explainBriefly(finding, MAX_LENGTH);

/** Explains the answer for an object: the denial of the pod, or of a template's pods, or else its most serious finding. */
export const explainObject = ({ result, findings }: ObjectResult): string => {
  if (result.failure !== undefined) return explain(result.failure);
  const onPods = findings.map(
    (finding): Finding => (finding.refusesPods === true ? { ...finding, effect: 'deny' } : finding),
  );
  const denial = explainRefusal(onPods);
  if (denial !== undefined) return denial;
  const isExempt = ({ effect }: Finding): number => (effect === 'exempt' ? 1 : 0);
  const [first] = findings.toSorted(
    (one, other) => isExempt(one) - isExempt(other) || rankOf(one.reason.code) - rankOf(other.reason.code),
  );
  return first === undefined ? '' : explainFinding(first, first.effect);
};
