import type { ReportError } from '../base/index.ts';
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
import { holdsOf, keyIdsOf, type ReviewContext, type ReviewResult } from './review-result.ts';
import { findSubject } from './subject.ts';
import { findWorkload } from './workloads.ts';

export interface ReviewerDependencies {
  readonly judge: Judge;
  readonly rules: Rules;
  readonly limits: JudgeLimits;
  /** Milliseconds. */
  readonly now: () => number;
  readonly report: ReportError;
}

/** The output of one review: the response for the API server, and the record for the log, the metrics and Events. */
export interface ResponderOutput<Record> {
  readonly response: AdmissionResponse;
  readonly record: Record;
}

/**
 * Answers AdmissionReviews, given as parsed JSON: from memory with `recall`, or else with `review` (see `recallOrElse`).
 * Both throw, or reject with, `MalformedReview` and nothing else: any other error is an `internal-error` in the output.
 */
export interface Responder<Context, Record> {
  /** Answers from memory, with nothing awaited, as most reviews are. Undefined if memory does not suffice. */
  readonly recall: (body: unknown, context: Context) => ResponderOutput<Record> | undefined;
  /** Answers with requests to registries where they are needed; `signal` ends them when the caller's time is up. */
  readonly review: (body: unknown, context: Context, signal: AbortSignal) => Promise<ResponderOutput<Record>>;
}

export type ReviewOutput = ResponderOutput<ReviewRecord>;

/** Decides AdmissionReviews: the validating webhook. */
export type Reviewer = Responder<ReviewContext, ReviewRecord>;

/** Returns the judgements of images that are Istio's or have a finding; no other image is logged. */
const relevantJudgements = (
  judgements: ReadonlyMap<string, Judgement>,
  findings: readonly Finding[],
): readonly Judgement[] => {
  const withFinding = new Set(findings.map(({ use }) => use.image));
  const relevant: Judgement[] = [];
  for (const judgement of judgements.values())
    if (judgement.class?.kind === 'istio' || withFinding.has(judgement.image)) relevant.push(judgement);
  return relevant;
};

type Judgements = ReadonlyMap<string, Judgement>;

/** Returns the image uses to judge, and a function that turns their judgements into the result of the review. */
const openReview = (
  request: AdmissionRequest,
  context: ReviewContext,
  { rules, now }: ReviewerDependencies,
) => {
  const subject = findSubject(request, context.whole);
  const uses = subject.skipped === undefined ? subject.uses : [];
  const base = { request, context, uses, skipped: subject.skipped, failure: undefined };
  const close = (judgements: Judgements): ReviewResult => {
    if (subject.skipped !== undefined)
      return { ...base, verdict: 'allow', findings: [], judged: [], keyIds: [] };
    const review = {
      uses,
      judgements,
      ...context,
      namespace: request.namespace,
      workload: holdsOf(context, subject.holds),
      foretells: context.workloads === true,
    };
    const decision = decide(review, rules, now());
    const judged = relevantJudgements(judgements, decision.findings);
    return { ...base, ...decision, judged, keyIds: keyIdsOf(judged) };
  };
  return { uses, close };
};

const resultOfFailure = (
  request: AdmissionRequest,
  context: ReviewContext,
  incident: string,
): ReviewResult => {
  const workload = holdsOf(context, findWorkload(request.group, request.resource)?.holds);
  const failure = { code: 'internal-error', incident } as const;
  const verdict = decideFailure(context.mode, workload);
  const nothing = { skipped: undefined, uses: [], findings: [], judged: [], keyIds: [] };
  return { request, context, verdict, ...nothing, failure };
};

const resultOfThrown = (
  request: AdmissionRequest,
  context: ReviewContext,
  error: unknown,
  report: ReportError,
): ReviewResult => {
  if (error instanceof MalformedReview) throw error;
  return resultOfFailure(request, context, report(error));
};

/** Reviews one request, as the validating webhook does. Rejects with `MalformedReview` alone. */
export const reviewRequest = async (
  request: AdmissionRequest,
  context: ReviewContext,
  dependencies: ReviewerDependencies,
  signal: AbortSignal,
): Promise<ReviewResult> => {
  const { judge, limits, report } = dependencies;
  try {
    const { uses, close } = openReview(request, context, dependencies);
    return close(await judgeAll(judge, uses, limits, signal, request.namespace));
  } catch (error) {
    return resultOfThrown(request, context, error, report);
  }
};

const outputOf = (result: ReviewResult): ReviewOutput => ({
  response: toAdmissionResponse(result),
  record: recordOf(result),
});

/** Creates the reviewer of one configuration: the whole work of the webhook on one review, with no HTTP in it. */
export const createReviewer = (dependencies: ReviewerDependencies): Reviewer => {
  const { judge, limits, report } = dependencies;
  return {
    recall: (body, context) => {
      const request = parseAdmissionReview(body);
      try {
        const { uses, close } = openReview(request, context, dependencies);
        const judgements = recallAll(judge, uses, limits);
        return judgements && outputOf(close(judgements));
      } catch (error) {
        return outputOf(resultOfThrown(request, context, error, report));
      }
    },
    review: async (body, context, signal) =>
      outputOf(await reviewRequest(parseAdmissionReview(body), context, dependencies, signal)),
  };
};
