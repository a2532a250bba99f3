import { isJsonObject, oneLine } from '../base/index.ts';
import { type Effect, type Mode, type ReasonCode, type Verdict } from '../policy/index.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { type EventSummary, eventSummaryOf } from './event-summary.ts';
import type { ReviewResult } from './review-result.ts';
import type { SkipReason } from './subject.ts';

/** The facts of one review, for one log line and the metrics. Texts that somebody else chose are one short line. */
export interface ReviewRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly kind: string;
  /** The object's name, or what it is generated from: `httpbin-7d4c-*`. */
  readonly name: string;
  readonly operation: AdmissionRequest['operation'];
  readonly mode: Mode;
  readonly critical: boolean;
  readonly dryRun: boolean;
  readonly verdict: Verdict;
  /** Why no image was looked at; undefined: images were. */
  readonly skipped: SkipReason | undefined;
  /** The first `MOST_LISTED`; the image is empty where the review as a whole could not be judged. */
  readonly findings: readonly {
    readonly image: string;
    readonly path: string;
    readonly code: ReasonCode;
    readonly effect: Effect;
  }[];
  /** What an Event says of findings that warn or audit; absent where there are none, on a dry run and a denial. */
  readonly told?: EventSummary;
  /** The distinct images that are Istio's or have a finding, as written; the first `MOST_LISTED`. */
  readonly images: readonly string[];
  readonly keyIds: readonly string[];
  /** How many images were verified, and how many of these verdicts were remembered. */
  readonly verifications: number;
  readonly fromMemory: number;
  /** Requests sent to registries for this review. */
  readonly requests: number;
  /** Where the log has the stack, if something threw. */
  readonly incident: string | undefined;
}

/** A hostile object may have tens of thousands of images; a log line must not. */
const MAX_LISTED = 64;

const nameOf = ({ name, object }: AdmissionRequest): string => {
  if (name !== '') return oneLine(name, 253);
  const metadata = isJsonObject(object) ? object['metadata'] : undefined;
  if (!isJsonObject(metadata)) return '';
  const { name: given, generateName } = metadata;
  if (typeof given === 'string' && given !== '') return oneLine(given, 253);
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

const costOf = ({
  judged,
}: ReviewResult): Pick<ReviewRecord, 'verifications' | 'fromMemory' | 'requests'> => {
  let [verifications, fromMemory, requests] = [0, 0, 0];
  for (const { verification } of judged) {
    if (verification === undefined) continue;
    verifications += 1;
    requests += verification.requests;
    if (verification.fromMemory) fromMemory += 1;
  }
  return { verifications, fromMemory, requests };
};

/** The record of a review: built once, read by the log and by the metrics. */
export const recordOf = (outcome: ReviewResult): ReviewRecord => {
  const { request, context, verdict, skipped, judged, failure } = outcome;
  return {
    uid: oneLine(request.uid, 128),
    namespace: oneLine(request.namespace, 128),
    kind: oneLine(request.kind, 128),
    name: nameOf(request),
    operation: request.operation,
    mode: context.mode,
    critical: context.critical,
    dryRun: request.dryRun,
    verdict,
    skipped,
    findings: findingsOf(outcome),
    ...eventSummaryOf(outcome),
    images: judged.slice(0, MAX_LISTED).map(({ image }) => oneLine(image, 300)),
    keyIds: outcome.keyIds,
    ...costOf(outcome),
    incident: failure?.incident,
  };
};
