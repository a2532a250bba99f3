import type { ReviewRecord } from '../admission/index.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Keeps what is known of one answered review: one line in the log, and the counters. Milliseconds. */
export type RecordReview = (record: ReviewRecord, milliseconds: number) => void;

export const createRecordReview =
  (log: Log, metrics: Pick<Metrics, 'countReview'>): RecordReview =>
  (record, milliseconds) => {
    // As one member: pino writes each of its own members apart, which costs as much again as the whole record.
    log.info({ review: record, durationMs: Math.round(milliseconds * 1000) / 1000 }, 'review');
    metrics.countReview(record, milliseconds / 1000);
  };
