import type { Registry } from '@prometheus-io/client';
import type { PinRecord, ReviewRecord } from '../../admission/index.ts';
import { createCounter, createHistogram, define } from './definition.ts';
import { BOOLEANS, EFFECTS, MODES, OPERATIONS, PIN_SOURCES, REASONS, VERDICTS } from './labels.ts';

const REVIEWS = define('counter', 'sailmark_reviews_total', 'AdmissionReviews responded to', {
  mode: MODES,
  critical: BOOLEANS,
  operation: OPERATIONS,
  verdict: VERDICTS,
});
const DURATION = define(
  'histogram',
  'sailmark_review_duration_seconds',
  'Time from receiving an AdmissionReview to its response',
  { mode: MODES },
);
const FINDINGS = define(
  'counter',
  'sailmark_findings_total',
  'Image uses with a reason to deny them, by the effect that it had',
  { reason: REASONS, effect: EFFECTS },
);
const WORKLOADS = define(
  'counter',
  'sailmark_workload_reviews_total',
  'AdmissionReviews of workloads responded to, which are none of sailmark_reviews_total; none is ever denied',
  { mode: MODES, critical: BOOLEANS, verdict: VERDICTS },
);
const PIN_REVIEWS = define(
  'counter',
  'sailmark_pin_reviews_total',
  'AdmissionReviews that the mutating webhook responded to; incomplete: an Istio image was not pinned',
  {
    critical: BOOLEANS,
    operation: OPERATIONS,
    result: ['pinned', 'unchanged', 'incomplete', 'failed'],
  },
);
const PIN_DURATION = define(
  'histogram',
  'sailmark_pin_duration_seconds',
  'Time from receiving an AdmissionReview by the mutating webhook to its response',
  { critical: BOOLEANS },
);
const PINNED = define(
  'counter',
  'sailmark_pinned_images_total',
  'Image uses pinned to a digest: verified, exempt, the last one during an outage, or the one before an update',
  { source: PIN_SOURCES },
);

export const reviewDefinitions = [
  REVIEWS,
  DURATION,
  FINDINGS,
  WORKLOADS,
  PIN_REVIEWS,
  PIN_DURATION,
  PINNED,
] as const;

export interface ReviewMetrics {
  countReview(record: ReviewRecord, seconds: number): void;
  /** Counts a review by the mutating webhook, which is none of `countReview`. */
  countPins(record: PinRecord, seconds: number): void;
}

const resultOf = ({ pinned, unpinned, incident }: PinRecord) => {
  if (incident !== undefined) return 'failed';
  if (unpinned.length > 0) return 'incomplete';
  return pinned.length > 0 ? 'pinned' : 'unchanged';
};

const booleanOf = (value: boolean) => (value ? 'true' : 'false');

/** Creates the metrics of reviews, by the validating and by the mutating webhook. */
export const createReviewMetrics = (registry: Registry): ReviewMetrics => {
  const reviews = createCounter(REVIEWS, registry);
  const duration = createHistogram(DURATION, registry);
  const findings = createCounter(FINDINGS, registry);
  const workloads = createCounter(WORKLOADS, registry);
  const pinReviews = createCounter(PIN_REVIEWS, registry);
  const pinDuration = createHistogram(PIN_DURATION, registry);
  const pinned = createCounter(PINNED, registry);
  return {
    countReview(record, seconds) {
      const { mode, operation, verdict } = record;
      const critical = booleanOf(record.critical);
      if (record.route === 'workloads') {
        workloads({ mode, critical, verdict });
        return;
      }
      reviews({ mode, critical, operation, verdict });
      duration({ mode }, seconds);
      for (const { code, effect } of record.findings) findings({ reason: code, effect });
    },
    countPins(record, seconds) {
      const critical = booleanOf(record.critical);
      pinReviews({ critical, operation: record.operation, result: resultOf(record) });
      pinDuration({ critical }, seconds);
      for (const { source } of record.pinned) pinned({ source });
    },
  };
};
