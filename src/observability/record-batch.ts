import type { Log } from './log.ts';
import type { RecordReview } from './record-review.ts';

export interface RecordBatch {
  /** Takes a record, and keeps it soon. Never throws. */
  readonly add: RecordReview;
  /** Keeps now what still waits. */
  flush(): void;
}

/** Records that are kept together, and milliseconds that one waits for others at most. */
const MAX_BATCH_RECORDS = 32;
const MAX_WAIT_MS = 10;

/**
 * Keeps records several at a time, and beside the answers. Between two reviews the code that keeps one is cold, since
 * the JSON of a review takes the processor's caches: so it costs a tenth of a remembered review, and a third of that
 * when it runs again and again (`npm run bench`). What `keep` throws is logged, and the next record kept.
 */
export const createRecordBatch = (keep: RecordReview, log: Pick<Log, 'error'>): RecordBatch => {
  let waiting: Parameters<RecordReview>[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const records = waiting;
    waiting = [];
    for (const [record, milliseconds] of records) {
      try {
        keep(record, milliseconds);
      } catch (err) {
        log.error({ uid: record.uid, err }, 'a review was answered, and could not be recorded');
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
