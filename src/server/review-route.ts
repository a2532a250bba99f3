import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MalformedReview, type Review, type ReviewContext, type ReviewOutput } from '../admission/index.ts';
import { type ReportError } from '../base/index.ts';
import type { RecordReview } from '../observability/index.ts';
import { BadRequest } from './bad-request.ts';
import { type DeadlineLimits, deadlineOf } from './deadline.ts';
import { failureResponse } from './failure-response.ts';
import { runWithDeadline } from './run-with-deadline.ts';

export interface RouteDependencies {
  readonly review: Review;
  readonly record: RecordReview;
  readonly report: ReportError;
  readonly limits: DeadlineLimits;
  /** Milliseconds, from any beginning. */
  readonly now: () => number;
}

const MODES = ['enforce', 'warn', 'audit'] as const;

/** The path of every mode, and of every mode for critical namespaces. */
const PATHS: ReadonlyMap<string, ReviewContext> = new Map(
  MODES.flatMap((mode): readonly (readonly [string, ReviewContext])[] => [
    [`/validate/${mode}`, { mode, critical: false }],
    [`/validate/critical/${mode}`, { mode, critical: true }],
  ]),
);

/** Whether a path is there, whatever the method. */
export const isReviewPath = (path: string): boolean => PATHS.has(path);

const JSON_TYPE = 'application/json; charset=utf-8';

const timeoutOf = ({ query }: FastifyRequest): unknown => (query as { readonly timeout?: unknown }).timeout;

/** The review's own answer, or that it could not be judged. Rejects with `MalformedReview` alone. */
const reviewBy = async (
  request: FastifyRequest,
  context: ReviewContext,
  parts: RouteDependencies,
): Promise<ReviewOutput> => {
  const { review, report, limits } = parts;
  const { body } = request;
  try {
    const deadline = deadlineOf(timeoutOf(request), limits);
    const reviewed = await runWithDeadline((signal) => review(body, context, signal), deadline);
    return (
      reviewed ?? failureResponse(body, context, report(new Error('the review did not keep to its deadline')))
    );
  } catch (error) {
    if (error instanceof MalformedReview) throw error;
    return failureResponse(body, context, report(error));
  }
};

/** What memory answers at once; undefined: it must be asked for, or the full way is to say what is wrong. */
const recall = (
  { body }: FastifyRequest,
  context: ReviewContext,
  { review }: RouteDependencies,
): ReviewOutput | undefined => {
  try {
    return review.recall?.(body, context);
  } catch {
    return undefined;
  }
};

const createHandler =
  (context: ReviewContext, parts: RouteDependencies) =>
  (request: FastifyRequest, reply: FastifyReply): void | Promise<void> => {
    if (request.body === undefined) throw new BadRequest('there is no body; an AdmissionReview is expected');
    const began = parts.now();
    const answer = (reviewed: ReviewOutput): void => {
      parts.record(reviewed.record, parts.now() - began);
      void reply.header('content-type', JSON_TYPE).send(JSON.stringify(reviewed.response));
    };
    const recalled = recall(request, context, parts);
    return recalled === undefined ? reviewBy(request, context, parts).then(answer) : answer(recalled);
  };

/** Adds `POST /validate/<mode>` and `POST /validate/critical/<mode>`. */
export const addReviewRoutes = (app: FastifyInstance, parts: RouteDependencies): void => {
  for (const [path, context] of PATHS) app.post(path, createHandler(context, parts));
};
