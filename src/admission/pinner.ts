import type { ReportError } from '../base/index.ts';
import { type Judgement, judgeAll, recallAll } from '../policy/index.ts';
import { type AdmissionRequest, parseAdmissionReview } from './admission-review.ts';
import { MalformedReview } from './malformed-review.ts';
import { toPinResponse } from './pin-response.ts';
import { type PinRecord, type PinResult, pinRecordOf } from './pin-result.ts';
import { planPins } from './plan-pins.ts';
import type { Responder, ResponderOutput, ReviewerDependencies } from './review.ts';
import { keyIdsOf } from './review-result.ts';

/** The class of namespaces, which the path of a request to the mutating webhook determines. */
export interface PinnerContext {
  readonly critical: boolean;
  /** Pins the templates of workloads too, which only the command line shows. */
  readonly templates?: boolean;
}

/** Pins the images of AdmissionReviews. It never denies: without a patch, the validating webhook judges the tag. */
export type Pinner = Responder<PinnerContext, PinRecord>;

const NOTHING = { pinned: [], unpinned: [], judged: [], keyIds: [] } as const;

const outputOf = (result: PinResult): ResponderOutput<PinRecord> => ({
  response: toPinResponse(result),
  record: pinRecordOf(result),
});

/** Returns the uses to judge, and a function that turns their judgements into the result. */
const openPinning = (
  request: AdmissionRequest,
  context: PinnerContext,
  dependencies: ReviewerDependencies,
) => {
  const plan = planPins(request, context, dependencies);
  const base = { request, critical: context.critical, skipped: plan.skipped, failure: undefined };
  const close = (judgements: ReadonlyMap<string, Judgement>): PinResult => {
    if (plan.skipped !== undefined) return { ...base, ...NOTHING };
    const judged = [...judgements.values()];
    return { ...base, ...plan.close(judgements), judged, keyIds: keyIdsOf(judged) };
  };
  return { uses: plan.skipped === undefined ? plan.uses : [], close };
};

const resultOfThrown = (
  request: AdmissionRequest,
  { critical }: PinnerContext,
  error: unknown,
  report: ReportError,
): PinResult => {
  if (error instanceof MalformedReview) throw error;
  const failure = { code: 'internal-error', incident: report(error) } as const;
  return { request, critical, skipped: undefined, ...NOTHING, failure };
};

/** Pins the images of one request, as the mutating webhook does. Rejects with `MalformedReview` alone. */
export const pinRequest = async (
  request: AdmissionRequest,
  context: PinnerContext,
  dependencies: ReviewerDependencies,
  signal: AbortSignal,
): Promise<PinResult> => {
  const { judge, limits, report } = dependencies;
  try {
    const { uses, close } = openPinning(request, context, dependencies);
    return close(await judgeAll(judge, uses, limits, signal, request.namespace));
  } catch (error) {
    return resultOfThrown(request, context, error, report);
  }
};

/** Creates the mutating webhook of one configuration, with no HTTP in it. It shares the judge with the reviewer. */
export const createPinner = (dependencies: ReviewerDependencies): Pinner => {
  const { judge, limits, report } = dependencies;
  return {
    recall: (body, context) => {
      const request = parseAdmissionReview(body);
      try {
        const { uses, close } = openPinning(request, context, dependencies);
        const judgements = recallAll(judge, uses, limits);
        return judgements && outputOf(close(judgements));
      } catch (error) {
        return outputOf(resultOfThrown(request, context, error, report));
      }
    },
    review: async (body, context, signal) =>
      outputOf(await pinRequest(parseAdmissionReview(body), context, dependencies, signal)),
  };
};
