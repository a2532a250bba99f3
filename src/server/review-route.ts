import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  MalformedReview,
  type Pinner,
  type PinnerContext,
  type Responder,
  type ResponderOutput,
  type ReviewContext,
  type Reviewer,
} from '../admission/index.ts';
import { type ReportError, recallOrElse } from '../base/index.ts';
import type { RecordReview } from '../observability/index.ts';
import { BadRequest } from './bad-request.ts';
import { type DeadlineLimits, deadlineOf } from './deadline.ts';
import { type Failure, failureResponse, pinFailureResponse } from './failure-response.ts';
import type { HeldReviews } from './held-reviews.ts';
import { failureOf, OversizedReview } from './oversized-review.ts';
import { runWithDeadline } from './run-with-deadline.ts';

export interface RouteDependencies {
  readonly reviewer: Reviewer;
  readonly pinner: Pinner;
  readonly record: RecordReview;
  readonly report: ReportError;
  readonly limits: DeadlineLimits;
  readonly held: Pick<HeldReviews, 'hold'>;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

const MODES = ['enforce', 'warn', 'audit'] as const;

/** The paths for each mode, and for each mode in critical namespaces: of pods, and of workloads, which are never denied. */
const PATHS: ReadonlyMap<string, ReviewContext> = new Map(
  MODES.flatMap((mode): readonly (readonly [string, ReviewContext])[] => [
    [`/validate/${mode}`, { mode, critical: false }],
    [`/validate/critical/${mode}`, { mode, critical: true }],
    [`/workloads/${mode}`, { mode, critical: false, workloads: true }],
    [`/workloads/critical/${mode}`, { mode, critical: true, workloads: true }],
  ]),
);

/** The paths of the mutating webhook. */
const PIN_PATHS: ReadonlyMap<string, PinnerContext> = new Map([
  ['/mutate/pin', { critical: false }],
  ['/mutate/critical/pin', { critical: true }],
]);

/** True if reviews are served at this path. */
export const isReviewPath = (path: string): boolean => PATHS.has(path) || PIN_PATHS.has(path);

const JSON_TYPE = 'application/json; charset=utf-8';

const timeoutOf = ({ query }: FastifyRequest): unknown => (query as { readonly timeout?: unknown }).timeout;

/** The work of one path. `fail` makes the output for a review that threw, missed its deadline or is too large. */
interface Route<Record> {
  readonly recall: (body: unknown) => ResponderOutput<Record> | undefined;
  readonly review: (body: unknown, signal: AbortSignal) => Promise<ResponderOutput<Record>>;
  readonly fail: (body: unknown, failure: Failure) => ResponderOutput<Record>;
}

const internalError = (incident: string): Failure => ({ code: 'internal-error', incident });

/** Answers before the caller's deadline. Returns the output of `fail` for what fails; rejects with `MalformedReview` alone. */
const respondWithDeadline = async <Record>(
  request: FastifyRequest,
  body: unknown,
  { review, fail }: Route<Record>,
  { report, limits }: RouteDependencies,
): Promise<ResponderOutput<Record>> => {
  try {
    const deadline = deadlineOf(timeoutOf(request), limits);
    const reviewed = await runWithDeadline((signal) => review(body, signal), deadline);
    return reviewed ?? fail(body, internalError(report(new Error('the review missed its deadline'))));
  } catch (error) {
    if (error instanceof MalformedReview) throw error;
    return fail(body, internalError(report(error)));
  }
};

const createHandler =
  <Record extends Parameters<RecordReview>[0]>(route: Route<Record>, dependencies: RouteDependencies) =>
  (request: FastifyRequest, reply: FastifyReply): void | Promise<void> => {
    const { body } = request;
    // A response that waits for earlier ones of its connection keeps the request, but not what it held.
    request.body = undefined;
    if (body === undefined) throw new BadRequest('the body is empty; expected an AdmissionReview');
    const { record, now, held } = dependencies;
    const startedAt = now();
    const respond = (output: ResponderOutput<Record>): void => {
      record(output.record, now() - startedAt);
      void reply.header('content-type', JSON_TYPE).send(JSON.stringify(output.response));
    };
    if (body instanceof OversizedReview) return respond(route.fail(body.envelope, failureOf(body)));
    const output = recallOrElse(
      () => route.recall(body),
      () => {
        const release = held.hold(body);
        return respondWithDeadline(request, body, route, dependencies).finally(release);
      },
    );
    return output instanceof Promise ? output.then(respond) : respond(output);
  };

/** The route of a responder in one context. */
const routeOf = <Context, Record>(
  { recall, review }: Responder<Context, Record>,
  context: Context,
  fail: (body: unknown, context: Context, failure: Failure) => ResponderOutput<Record>,
): Route<Record> => ({
  recall: (body) => recall(body, context),
  review: (body, signal) => review(body, context, signal),
  fail: (body, failure) => fail(body, context, failure),
});

/** Adds `POST /validate/[critical/]<mode>`, `POST /workloads/[critical/]<mode>` and `POST /mutate/[critical/]pin`. */
export const addReviewRoutes = (app: FastifyInstance, dependencies: RouteDependencies): void => {
  const { reviewer, pinner } = dependencies;
  for (const [path, context] of PATHS)
    app.post(path, createHandler(routeOf(reviewer, context, failureResponse), dependencies));
  for (const [path, context] of PIN_PATHS)
    app.post(path, createHandler(routeOf(pinner, context, pinFailureResponse), dependencies));
};
