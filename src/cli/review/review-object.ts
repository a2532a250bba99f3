import {
  type AdmissionResponse,
  type PinRecord,
  type ReviewRecord,
  withPatch,
} from '../../admission/index.ts';
import type { Core } from '../../compose.ts';
import { type Mode, mustPin, type Rules } from '../../policy/index.ts';
import type { Reviewable } from './manifests.ts';

/** The response of both webhooks for one object. */
export interface ReviewedObject {
  readonly place: string;
  readonly response: AdmissionResponse['response'];
  readonly record: ReviewRecord;
  /** The images that the mutating webhook would pin; of a template, those of its Pods. */
  readonly pinned: PinRecord['pinned'];
}

interface ReviewSettings {
  readonly mode: Mode;
  readonly rules: Rules;
  /** Milliseconds for each object. */
  readonly timeout: number;
}

/** The result of the mutating webhook: the review as it is sent on, and what it says. */
interface Pinning {
  readonly review: unknown;
  readonly pinned: PinRecord['pinned'];
  readonly warnings: readonly string[];
  readonly requests: number;
}

const pinImages = async (core: Core, review: unknown, signal: AbortSignal): Promise<Pinning> => {
  const { response, record } = await core.pinner.review(review, { critical: false, templates: true }, signal);
  const { warnings = [] } = response.response;
  return {
    review: withPatch(review, response),
    pinned: record.pinned,
    warnings,
    requests: record.requests,
  };
};

/** The findings of images that an outage rule pinned: the validating webhook sees a verified digest. */
const outageFindings = (pinned: PinRecord['pinned']): ReviewRecord['findings'] =>
  pinned.flatMap(({ image, path, source, code }) =>
    source === 'outage' && code !== undefined ? [{ image, path, code, effect: 'warn' as const }] : [],
  );

const addPinning = (record: ReviewRecord, { pinned, requests }: Pinning): ReviewRecord => {
  const stoodIn = outageFindings(pinned);
  return {
    ...record,
    requests: record.requests + requests,
    findings: [...stoodIn, ...record.findings],
    verdict: record.verdict === 'allow' && stoodIn.length > 0 ? 'warn' : record.verdict,
  };
};

/**
 * Reviews one object as the webhooks would: where images must be pinned, the validating one gets what the mutating one
 * makes of it.
 */
export const reviewObject = async (
  core: Core,
  { review, place }: Reviewable,
  { mode, rules, timeout }: ReviewSettings,
): Promise<ReviewedObject> => {
  const signal = AbortSignal.timeout(timeout);
  const pinning = mustPin(rules, mode) ? await pinImages(core, review, signal) : undefined;
  const context = { mode, critical: false, whole: true };
  const { response, record } = await core.reviewer.review(pinning?.review ?? review, context, signal);
  if (pinning === undefined) return { place, response: response.response, record, pinned: [] };
  const warnings = [...pinning.warnings, ...(response.response.warnings ?? [])];
  return {
    place,
    response: { ...response.response, ...(warnings.length === 0 ? {} : { warnings }) },
    record: addPinning(record, pinning),
    pinned: pinning.pinned,
  };
};
