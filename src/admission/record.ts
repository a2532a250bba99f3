import { isJsonObject, oneLine } from '../base/index.ts';
import type { Effect, Judgement, Mode, ReasonCode, Verdict } from '../policy/index.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { type EventSummary, eventSummaryOf } from './event-summary.ts';
import type { ReviewResult } from './review-result.ts';
import type { SkipReason } from './subject.ts';

/** The record of one review, for one log line, the metrics and Events. Text from the request is cut to one short line. */
export interface ReviewRecord {
  /** Absent for a review of the validating webhook that decides on pods. */
  readonly route?: 'workloads';
  readonly uid: string;
  readonly namespace: string;
  readonly kind: string;
  /** The object's name, or its `generateName` with an asterisk: `httpbin-7d4c-*`. */
  readonly name: string;
  readonly operation: AdmissionRequest['operation'];
  readonly mode: Mode;
  readonly critical: boolean;
  readonly dryRun: boolean;
  readonly verdict: Verdict;
  /** The reason why no image was judged; undefined if images were judged. */
  readonly skipped: SkipReason | undefined;
  /** The first `MAX_LISTED`; one with an empty image if the review failed as a whole. */
  readonly findings: readonly {
    readonly image: string;
    readonly path: string;
    readonly code: ReasonCode;
    readonly effect: Effect;
  }[];
  /** The Events for findings that warn or audit; absent if there are none, on a dry run and on a denial. */
  readonly told?: EventSummary;
  /** The distinct images that are Istio's or have a finding, as written; the first `MAX_LISTED`. */
  readonly images: readonly string[];
  readonly keyIds: readonly string[];
  /** Number of images that were verified. */
  readonly verifications: number;
  /** Number of these verdicts that came from memory. */
  readonly fromMemory: number;
  /** Requests sent to registries for this review. */
  readonly requests: number;
  /** The id under which the log has the error, if the review failed. */
  readonly incident: string | undefined;
}

/** Bounds a log line: a hostile object may have tens of thousands of images. */
export const MAX_LISTED = 64;

const nameOf = ({ name, object }: AdmissionRequest): string => {
  if (name !== '') return oneLine(name, 253);
  const metadata = isJsonObject(object) ? object['metadata'] : undefined;
  if (!isJsonObject(metadata)) return '';
  const { name: metadataName, generateName } = metadata;
  if (typeof metadataName === 'string' && metadataName !== '') return oneLine(metadataName, 253);
  return typeof generateName === 'string' ? `${oneLine(generateName, 253)}*` : '';
};

const findingsOf = ({ findings, failure, verdict }: ReviewResult): ReviewRecord['findings'] =>
  failure === undefined
    ? findings.slice(0, MAX_LISTED).map(({ use, reason, effect }) => ({
        image: oneLine(use.image, 300),
        path: use.path,
        code: reason.code,
        effect,
      }))
    : [{ image: '', path: '', code: failure.code, effect: verdict === 'allow' ? 'deny' : verdict }];

/** Returns the members of a record that say which request was answered. */
export const identityOf = (
  request: AdmissionRequest,
): Pick<ReviewRecord, 'uid' | 'namespace' | 'kind' | 'name' | 'operation' | 'dryRun'> => ({
  uid: oneLine(request.uid, 128),
  namespace: oneLine(request.namespace, 128),
  kind: oneLine(request.kind, 128),
  name: nameOf(request),
  operation: request.operation,
  dryRun: request.dryRun,
});

/** Returns the members of a record that say which images were judged, and at which cost. */
export const judgedOf = (
  judged: readonly Judgement[],
): Pick<ReviewRecord, 'images' | 'verifications' | 'fromMemory' | 'requests'> => {
  let [verifications, fromMemory, requests] = [0, 0, 0];
  for (const { verification } of judged) {
    if (verification === undefined) continue;
    verifications += 1;
    requests += verification.requests;
    if (verification.fromMemory) fromMemory += 1;
  }
  const images = judged.slice(0, MAX_LISTED).map(({ image }) => oneLine(image, 300));
  return { images, verifications, fromMemory, requests };
};

/** Creates the record of a review result. */
export const recordOf = (result: ReviewResult): ReviewRecord => {
  const { request, context, verdict, skipped, judged, failure } = result;
  return {
    ...(context.workloads === true ? { route: 'workloads' as const } : {}),
    ...identityOf(request),
    mode: context.mode,
    critical: context.critical,
    verdict,
    skipped,
    findings: findingsOf(result),
    ...eventSummaryOf(result),
    ...judgedOf(judged),
    keyIds: result.keyIds,
    incident: failure?.incident,
  };
};
