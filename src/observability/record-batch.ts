import type { Log } from './log.ts';
import type { RecordReview } from './record-review.ts';

export interface RecordBatch {
  /** Adds a record to the batch. Never throws. */
  readonly add: RecordReview;
  /** Records the batch now. */
  flush(): void;
}

const MAX_BATCH_RECORDS = 32;
const MAX_WAIT_MS = 10;

/**
 * Records reviews in batches, after their responses. Between two reviews the code of `recordReview` is evicted from the
 * processor's caches by the JSON of a review, and takes a tenth of a review from memory; in a batch it takes a third of
 * that (`npm run bench`). An error thrown by `recordReview` is logged, and the next record is recorded.
 */
export const createRecordBatch = (recordReview: RecordReview, log: Pick<Log, 'error'>): RecordBatch => {
  let waiting: Parameters<RecordReview>[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const records = waiting;
    waiting = [];
    for (const [record, milliseconds] of records) {
      try {
        recordReview(record, milliseconds);
      } catch (err) {
        log.error({ uid: record.uid, err }, 'cannot record a review; its response was sent');
      }
    }
  };
  return {
    add(record, milliseconds) {
      waiting.push([record, milliseconds]);
      if (waiting.length >= MAX_BATCH_RECORDS) flush();
      else timer ??= setTimeout(flush, MAX_WAIT_MS);
    },
    flush,
  };
};
