import type { Finding, ImageUse, Judgement, Mode, Reason, Verdict } from '../policy/index.ts';
import type { AdmissionRequest } from './admission-review.ts';
import type { SkipReason } from './subject.ts';
import type { Workload } from './workloads.ts';

/** The mode and namespace class of a review, which the path of its HTTP request determines. */
export interface ReviewContext {
  readonly mode: Mode;
  /** True for a critical namespace (`/validate/critical/<mode>`), which has its own outage choice. */
  readonly critical: boolean;
  /**
   * True for the webhook that is asked about workloads (`/workloads/<mode>`): it never denies, and has no side effects.
   */
  readonly workloads?: boolean;
  /** True in the command line, which judges images in any kind of object, and those that Istio injects because of it. */
  readonly whole?: boolean;
}

/** The webhook for workloads only warns, whatever it is sent. An unknown resource is judged as a pod, which may be denied. */
export const holdsOf = (
  { workloads = false }: Pick<ReviewContext, 'workloads'>,
  holds: Workload['holds'] | undefined,
): Workload['holds'] => (workloads ? 'template' : (holds ?? 'pod'));

/** The result of one review, from which the response and the record are made. */
export interface ReviewResult {
  readonly request: AdmissionRequest;
  readonly context: ReviewContext;
  readonly verdict: Verdict;
  readonly skipped: SkipReason | undefined;
  /** Every image use that was judged. */
  readonly uses: readonly ImageUse[];
  readonly findings: readonly Finding[];
  /** The distinct images that are Istio's or have a finding. */
  readonly judged: readonly Judgement[];
  /** The ids of the keys whose signatures count, each once. */
  readonly keyIds: readonly string[];
  /** Present if an error was thrown, so that the review failed as a whole. */
  readonly failure: Extract<Reason, { code: 'internal-error' }> | undefined;
}

/** Returns the ids of the keys whose signatures count, each once. */
export const keyIdsOf = (judged: ReviewResult['judged']): readonly string[] => {
  const ids: string[] = [];
  for (const { verification } of judged) {
    if (verification?.outcome !== 'verified') continue;
    for (const { keyId } of verification.signatures) if (!ids.includes(keyId)) ids.push(keyId);
  }
  return ids;
};
