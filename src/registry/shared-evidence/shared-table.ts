import { follow } from './follow.ts';
import { createRowStore, type RowStore } from './row-store.ts';
import type { Row, RowKind } from './rows.ts';
import type { SharedContent, SharedObject } from './shared-object.ts';
import { createWriteSchedule, type WriteOutcome, type WriteTimes } from './write-schedule.ts';

export interface SharedTableOptions<R extends Row> {
  readonly object: SharedObject;
  readonly kind: RowKind<R>;
  /** The largest size of the object's keys and texts. */
  readonly maxBytes: number;
  /** Reports a fault of the object, once for each time it persists. */
  readonly report: (error: unknown) => void;
  readonly times?: Partial<WriteTimes>;
  /** Told of each write of the object, and of each that failed. */
  readonly onWrite?: ((result: 'written' | 'conflict' | 'failed') => void) | undefined;
}

/** The rows of an object that replicas share, read as they change. */
export interface SharedTable<R extends Row>
  extends Pick<RowStore<R>, 'find' | 'rows' | 'revision' | 'pendingRows'> {
  /** True once the object was read. */
  isRead(): boolean;
  /** Adds a row, which is written later; nothing waits for that. */
  put(row: R): void;
  /** Reads the object, and follows it from then on. Resolves after the first read, whatever it found; never rejects. */
  load(): Promise<void>;
  /** Stops following, and writes what is pending. Never rejects. */
  close(): Promise<void>;
}

export const createSharedTable = <R extends Row>(options: SharedTableOptions<R>): SharedTable<R> => {
  const { object, kind, maxBytes, report, times, onWrite } = options;
  const store = createRowStore(kind, maxBytes);
  const closed = new AbortController();
  let isRead = false;
  let reportedMalformed = false;

  const receive = (content: SharedContent | undefined): void => {
    isRead = true;
    const malformed = store.receive(content);
    if (malformed > 0 && !reportedMalformed)
      report(new Error(`${object.name}: ${malformed} entries are malformed and ignored`));
    reportedMalformed = malformed > 0;
    if (content !== undefined && store.hasPending()) schedule.request();
  };
  const write = async (signal: AbortSignal): Promise<WriteOutcome> => {
    if (!store.hasPending()) return 'written';
    if (store.content() === undefined) receive(await object.read(signal));
    const content = store.content();
    if (content === undefined) return 'absent';
    const { changes, done } = store.plan(content);
    const isChange = Object.keys(changes).length > 0;
    const outcome = isChange ? await object.change(content.version, changes, signal) : content;
    if (isChange) onWrite?.(outcome === 'conflict' ? 'conflict' : 'written');
    if (outcome === 'conflict') {
      store.invalidate();
      return outcome;
    }
    done();
    receive(outcome);
    return 'written';
  };
  const countedWrite = async (signal: AbortSignal): Promise<WriteOutcome> => {
    try {
      return await write(signal);
    } catch (error) {
      onWrite?.('failed');
      throw error;
    }
  };
  const schedule = createWriteSchedule({ write: countedWrite, report, ...times });

  return {
    ...store,
    isRead: () => isRead,
    put(row) {
      if (store.put(row)) schedule.request();
    },
    load: () =>
      follow({ object, receive, report, whenAbsent: 'no evidence is shared there', signal: closed.signal }),
    async close() {
      closed.abort();
      await schedule.close();
    },
  };
};
