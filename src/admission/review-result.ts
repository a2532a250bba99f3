import type { Finding, Judgement, Mode, Reason, Verdict } from '../policy/index.ts';
import type { AdmissionRequest } from './admission-review.ts';
import type { SkipReason } from './subject.ts';

/** Which of the webhook's paths a review came by. */
export interface ReviewContext {
  readonly mode: Mode;
  /** `/validate/critical/<mode>`: a critical namespace, with its own `undetermined`. */
  readonly critical: boolean;
}

/** How one review ended: what both the answer and the record are made of. */
export interface ReviewResult {
  readonly request: AdmissionRequest;
  readonly context: ReviewContext;
  readonly verdict: Verdict;
  readonly skipped: SkipReason | undefined;
  readonly findings: readonly Finding[];
  /** The distinct images that are Istio's or have a finding. */
  readonly judged: readonly Judgement[];
  /** The ids of the keys whose signatures count, each once. */
  readonly keyIds: readonly string[];
  /** Present where something threw: the review as a whole could not be judged. */
  readonly failure: Extract<Reason, { code: 'internal-error' }> | undefined;
}

/** The ids of the keys whose signatures count, each once. */
export const keyIdsOf = (judged: ReviewResult['judged']): readonly string[] => {
  const ids: string[] = [];
  for (const { verification } of judged) {
    if (verification?.outcome !== 'verified') continue;
    for (const { keyId } of verification.signatures) if (!ids.includes(keyId)) ids.push(keyId);
  }
  return ids;
};
