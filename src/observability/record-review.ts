import type { ReviewRecord } from '../admission/index.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Records one review, which took this time, in the log and the metrics. */
export type RecordReview = (record: ReviewRecord, milliseconds: number) => void;

export const createRecordReview =
  (log: Log, metrics: Pick<Metrics, 'countReview'>): RecordReview =>
  (record, milliseconds) => {
    // As one field: pino writes each field separately, which would double the cost of the record.
    log.info({ review: record, durationMs: Math.round(milliseconds * 1000) / 1000 }, 'review');
    metrics.countReview(record, milliseconds / 1000);
  };
