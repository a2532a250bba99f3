import {
  decide,
  decideFailure,
  type Finding,
  type Judge,
  type JudgeLimits,
  type Judgement,
  judgeAll,
  type Rules,
} from '../policy/index.ts';
import { type AdmissionRequest, parseAdmissionReview } from './admission-review.ts';
import { type AdmissionAnswer, answer } from './answer.ts';
import { MalformedReview } from './malformed-review.ts';
import type { Outcome, ReviewContext } from './outcome.ts';
import { type ReviewRecord, recordOf } from './record.ts';
import { findSubject } from './subject.ts';
import { findWorkload } from './workloads.ts';

interface ReviewParts {
  readonly judge: Judge;
  readonly rules: Rules;
  readonly limits: JudgeLimits;
  /** Milliseconds. */
  readonly now: () => number;
  /** Keeps the error where it can be found, and returns the id to find it by. */
  readonly report: (error: unknown) => string;
}

/**
 * Answers one AdmissionReview, given as parsed JSON. `signal` ends what is still being asked when the caller's time is
 * up. Rejects with `MalformedReview` and nothing else: whatever is thrown inside is *could not judge*, in the answer.
 */
export type Review = (
  body: unknown,
  context: ReviewContext,
  signal: AbortSignal,
) => Promise<{ readonly answer: AdmissionAnswer; readonly record: ReviewRecord }>;

/** Those that are Istio's or have a finding; the others are none of our business, nor of the log's. */
const ours = (
  judgements: ReadonlyMap<string, Judgement>,
  findings: readonly Finding[],
): readonly Judgement[] => {
  const found = new Set(findings.map(({ use }) => use.image));
  return [...judgements.values()].filter((one) => one.class?.kind === 'istio' || found.has(one.image));
};

const outcomeOfReview = async (
  request: AdmissionRequest,
  context: ReviewContext,
  { judge, rules, limits, now }: ReviewParts,
  signal: AbortSignal,
): Promise<Outcome> => {
  const subject = findSubject(request);
  const nothing = { request, context, skipped: subject.skipped, failure: undefined };
  if (subject.skipped !== undefined) return { ...nothing, verdict: 'allow', findings: [], judged: [] };
  const { uses, holds: workload } = subject;
  const judgements = await judgeAll(judge, uses, limits, signal);
  const review = { uses, judgements, ...context, namespace: request.namespace, workload };
  const decision = decide(review, rules, now());
  return { ...nothing, ...decision, judged: ours(judgements, decision.findings) };
};

const outcomeOfFailure = (request: AdmissionRequest, context: ReviewContext, incident: string): Outcome => {
  const workload = findWorkload(request.group, request.resource)?.holds ?? 'pod';
  const failure = { code: 'internal-error', incident } as const;
  const verdict = decideFailure(context.mode, workload);
  return { request, context, verdict, skipped: undefined, findings: [], judged: [], failure };
};

const conclude = (outcome: Outcome) => ({ answer: answer(outcome), record: recordOf(outcome) });

/** The webhook's whole work on one review, with no HTTP in it. */
export const createReview =
  (parts: ReviewParts): Review =>
  async (body, context, signal) => {
    const request = parseAdmissionReview(body);
    try {
      return conclude(await outcomeOfReview(request, context, parts, signal));
    } catch (error) {
      if (error instanceof MalformedReview) throw error;
      return conclude(outcomeOfFailure(request, context, parts.report(error)));
    }
  };
