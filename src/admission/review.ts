import {
  decide,
  decideFailure,
  type Finding,
  type Judge,
  type JudgeLimits,
  type Judgement,
  judgeAll,
  type Rules,
  recallAll,
} from '../policy/index.ts';
import { type AdmissionResponse, toAdmissionResponse } from './admission-response.ts';
import { type AdmissionRequest, parseAdmissionReview } from './admission-review.ts';
import { MalformedReview } from './malformed-review.ts';
import { type ReviewRecord, recordOf } from './record.ts';
import { keyIdsOf, type ReviewContext, type ReviewResult } from './review-result.ts';
import { findSubject } from './subject.ts';
import { findWorkload } from './workloads.ts';

interface ReviewerDependencies {
  readonly judge: Judge;
  readonly rules: Rules;
  readonly limits: JudgeLimits;
  /** Milliseconds. */
  readonly now: () => number;
  /** Keeps the error where it can be found, and returns the id to find it by. */
  readonly report: (error: unknown) => string;
}

/** An answered review: what Kubernetes is told, and what is kept of it. */
export interface ReviewOutput {
  readonly response: AdmissionResponse;
  readonly record: ReviewRecord;
}

/**
 * Reviews AdmissionReviews, given as parsed JSON: from memory with `recall`, or else with `review` (see `recallOrAsk`).
 * Both throw, or reject with, `MalformedReview` and nothing else: any other error is an `internal-error` in the output.
 */
export interface Reviewer {
  /** Reviews from memory, with nothing awaited, as most reviews are. Undefined if memory does not suffice. */
  readonly recall: (body: unknown, context: ReviewContext) => ReviewOutput | undefined;
  /** Reviews with requests to registries where they are needed; `signal` ends them when the caller's time is up. */
  readonly review: (body: unknown, context: ReviewContext, signal: AbortSignal) => Promise<ReviewOutput>;
}

/** Those that are Istio's or have a finding; the others are none of our business, nor of the log's. */
const relevantJudgements = (
  judgements: ReadonlyMap<string, Judgement>,
  findings: readonly Finding[],
): readonly Judgement[] => {
  const found = new Set(findings.map(({ use }) => use.image));
  const chosen: Judgement[] = [];
  for (const one of judgements.values())
    if (one.class?.kind === 'istio' || found.has(one.image)) chosen.push(one);
  return chosen;
};

type Judgements = ReadonlyMap<string, Judgement>;

/** What is to be judged, and how it ended once it is. */
const openReview = (
  request: AdmissionRequest,
  context: ReviewContext,
  { rules, now }: ReviewerDependencies,
) => {
  const subject = findSubject(request);
  const nothing = { request, context, skipped: subject.skipped, failure: undefined };
  const uses = subject.skipped === undefined ? subject.uses : [];
  const close = (judgements: Judgements): ReviewResult => {
    if (subject.skipped !== undefined)
      return { ...nothing, verdict: 'allow', findings: [], judged: [], keyIds: [] };
    const review = { uses, judgements, ...context, namespace: request.namespace, workload: subject.holds };
    const decision = decide(review, rules, now());
    const judged = relevantJudgements(judgements, decision.findings);
    return { ...nothing, ...decision, judged, keyIds: keyIdsOf(judged) };
  };
  return { uses, close };
};

const resultOfFailure = (
  request: AdmissionRequest,
  context: ReviewContext,
  incident: string,
): ReviewResult => {
  const workload = findWorkload(request.group, request.resource)?.holds ?? 'pod';
  const failure = { code: 'internal-error', incident } as const;
  const verdict = decideFailure(context.mode, workload);
  return { request, context, verdict, skipped: undefined, findings: [], judged: [], keyIds: [], failure };
};

const outputOf = (outcome: ReviewResult): ReviewOutput => ({
  response: toAdmissionResponse(outcome),
  record: recordOf(outcome),
});

/** Creates the reviewer of one configuration: the whole work of the webhook on one review, with no HTTP in it. */
export const createReviewer = (dependencies: ReviewerDependencies): Reviewer => {
  const { judge, limits, report } = dependencies;
  const fail = (request: AdmissionRequest, context: ReviewContext, error: unknown): ReviewOutput => {
    if (error instanceof MalformedReview) throw error;
    return outputOf(resultOfFailure(request, context, report(error)));
  };
  return {
    recall: (body, context) => {
      const request = parseAdmissionReview(body);
      try {
        const { uses, close } = openReview(request, context, dependencies);
        const judgements = recallAll(judge, uses, limits);
        return judgements && outputOf(close(judgements));
      } catch (error) {
        return fail(request, context, error);
      }
    },
    review: async (body, context, signal) => {
      const request = parseAdmissionReview(body);
      try {
        const { uses, close } = openReview(request, context, dependencies);
        return outputOf(close(await judgeAll(judge, uses, limits, signal)));
      } catch (error) {
        return fail(request, context, error);
      }
    },
  };
};
