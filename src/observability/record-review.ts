import type { PinRecord, ReviewRecord } from '../admission/index.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics/metrics.ts';

/** Records one review, which took this time, in the log and the metrics: of the validating or the mutating webhook. */
export type RecordReview = (record: ReviewRecord | PinRecord, milliseconds: number) => void;

export const createRecordReview =
  (log: Log, metrics: Pick<Metrics, 'countReview' | 'countPins'>): RecordReview =>
  (record, milliseconds) => {
    const durationMs = Math.round(milliseconds * 1000) / 1000;
    // As one field: pino writes each field separately, which would double the cost of the record.
    if (record.route === 'pin') {
      log.info({ pin: record, durationMs }, 'pin');
      metrics.countPins(record, milliseconds / 1000);
      return;
    }
    log.info({ review: record, durationMs }, 'review');
    metrics.countReview(record, milliseconds / 1000);
  };
