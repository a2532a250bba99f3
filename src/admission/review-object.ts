import type { Finding, Verdict } from '../policy/index.ts';
import { type AdmissionResponse, toAdmissionResponse } from './admission-response.ts';
import { parseAdmissionReview } from './admission-review.ts';
import { toPinResponse, withPatch } from './pin-response.ts';
import { type PinRecord, type PinResult, pinRecordOf } from './pin-result.ts';
import { pinRequest } from './pinner.ts';
import { type ReviewRecord, recordOf } from './record.ts';
import { type ReviewerDependencies, reviewRequest } from './review.ts';
import type { ReviewContext, ReviewResult } from './review-result.ts';

/** The namespace's mode and class, and the webhooks that are asked there. */
export interface ObjectContext extends ReviewContext {
  /** True if the mutating webhook is asked first. Of a template it pins the images of its Pods. */
  readonly pins: boolean;
}

/** The results of both webhooks for one object. */
export interface ObjectResult {
  readonly verdict: Verdict;
  /** Those of the validating webhook, after those of images for which an outage rule pinned another digest. */
  readonly findings: readonly Finding[];
  /** The validating webhook's. */
  readonly result: ReviewResult;
  /** The mutating webhook's; undefined if it was not asked. */
  readonly pins: PinResult | undefined;
}

/** An image that an outage rule pinned: the validating webhook sees a verified digest. */
const outageFindings = ({ pinned }: PinResult): readonly Finding[] =>
  pinned.flatMap(({ use, source, reason, allowedBecause }) =>
    source === 'outage' && reason !== undefined
      ? [
          {
            use,
            reason,
            effect: 'warn' as const,
            ...(allowedBecause === undefined ? {} : { allowedBecause }),
          },
        ]
      : [],
  );

/**
 * Reviews one object, in an AdmissionReview, as the webhooks would: the validating one gets what the mutating one makes
 * of it. Rejects with `MalformedReview` alone.
 */
export const reviewObject = async (
  dependencies: ReviewerDependencies,
  body: unknown,
  { pins: isPinned, ...context }: ObjectContext,
  signal: AbortSignal,
): Promise<ObjectResult> => {
  const request = parseAdmissionReview(body);
  const pinning = { critical: context.critical, templates: true };
  const pins = isPinned ? await pinRequest(request, pinning, dependencies, signal) : undefined;
  const sentOn = pins === undefined ? request : parseAdmissionReview(withPatch(body, toPinResponse(pins)));
  const result = await reviewRequest(sentOn, context, dependencies, signal);
  const stoodIn = pins === undefined ? [] : outageFindings(pins);
  const verdict = result.verdict === 'allow' && stoodIn.length > 0 ? 'warn' : result.verdict;
  return { verdict, findings: [...stoodIn, ...result.findings], result, pins };
};

/** The responses of both webhooks as one, and the record of the review. */
export interface ObjectResponse {
  readonly response: AdmissionResponse['response'];
  readonly record: ReviewRecord;
  /** The images that the mutating webhook would pin; of a template, those of its Pods. */
  readonly pinned: PinRecord['pinned'];
}

/** Converts the results of both webhooks to what each of them would send and log, as one. */
export const toObjectResponse = ({ verdict, findings, result, pins }: ObjectResult): ObjectResponse => {
  const { response } = toAdmissionResponse(result);
  const record = recordOf({ ...result, verdict, findings });
  if (pins === undefined) return { response, record, pinned: [] };
  const { pinned, requests } = pinRecordOf(pins);
  const warnings = [...(toPinResponse(pins).response.warnings ?? []), ...(response.warnings ?? [])];
  return {
    response: { ...response, ...(warnings.length === 0 ? {} : { warnings }) },
    record: { ...record, requests: record.requests + requests },
    pinned,
  };
};
