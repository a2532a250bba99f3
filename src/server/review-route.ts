import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MalformedReview, type ReviewContext, type Reviewer, type ReviewOutput } from '../admission/index.ts';
import { type ReportError, recallOrElse } from '../base/index.ts';
import type { RecordReview } from '../observability/index.ts';
import { BadRequest } from './bad-request.ts';
import { type DeadlineLimits, deadlineOf } from './deadline.ts';
import { failureResponse } from './failure-response.ts';
import { runWithDeadline } from './run-with-deadline.ts';

export interface RouteDependencies {
  readonly reviewer: Reviewer;
  readonly record: RecordReview;
  readonly report: ReportError;
  readonly limits: DeadlineLimits;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

const MODES = ['enforce', 'warn', 'audit'] as const;

/** The path for each mode, and for each mode in critical namespaces. */
const PATHS: ReadonlyMap<string, ReviewContext> = new Map(
  MODES.flatMap((mode): readonly (readonly [string, ReviewContext])[] => [
    [`/validate/${mode}`, { mode, critical: false }],
    [`/validate/critical/${mode}`, { mode, critical: true }],
  ]),
);

/** True if reviews are served at this path. */
export const isReviewPath = (path: string): boolean => PATHS.has(path);

const JSON_TYPE = 'application/json; charset=utf-8';

const timeoutOf = ({ query }: FastifyRequest): unknown => (query as { readonly timeout?: unknown }).timeout;

/** Reviews before the caller's deadline. Returns `internal-error` for what fails; rejects with `MalformedReview` alone. */
const reviewWithDeadline = async (
  request: FastifyRequest,
  context: ReviewContext,
  { reviewer, report, limits }: RouteDependencies,
): Promise<ReviewOutput> => {
  const { body } = request;
  try {
    const deadline = deadlineOf(timeoutOf(request), limits);
    const reviewed = await runWithDeadline((signal) => reviewer.review(body, context, signal), deadline);
    return reviewed ?? failureResponse(body, context, report(new Error('the review missed its deadline')));
  } catch (error) {
    if (error instanceof MalformedReview) throw error;
    return failureResponse(body, context, report(error));
  }
};

const createHandler =
  (context: ReviewContext, dependencies: RouteDependencies) =>
  (request: FastifyRequest, reply: FastifyReply): void | Promise<void> => {
    const { body } = request;
    if (body === undefined) throw new BadRequest('the body is empty; expected an AdmissionReview');
    const { reviewer, record, now } = dependencies;
    const startedAt = now();
    const respond = (output: ReviewOutput): void => {
      record(output.record, now() - startedAt);
      void reply.header('content-type', JSON_TYPE).send(JSON.stringify(output.response));
    };
    const output = recallOrElse(
      () => reviewer.recall(body, context),
      () => reviewWithDeadline(request, context, dependencies),
    );
    return output instanceof Promise ? output.then(respond) : respond(output);
  };

/** Adds `POST /validate/<mode>` and `POST /validate/critical/<mode>`. */
export const addReviewRoutes = (app: FastifyInstance, dependencies: RouteDependencies): void => {
  for (const [path, context] of PATHS) app.post(path, createHandler(context, dependencies));
};
