import { follow } from './follow.ts';
import { planChanges, type Row, type RowKind } from './rows.ts';
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
}

/**
 * The rows of an object that replicas share: those it holds, read as they change, and those of this process that are not
 * written yet. What was read stays while the object cannot be read, and is written again if the object was lost.
 */
export interface SharedTable<R extends Row> {
  find(key: string): R | undefined;
  rows(): Iterable<R>;
  /** Increases with every change of the rows. */
  revision(): number;
  /** Adds a row, which is written later; nothing waits for that. */
  put(row: R): void;
  /** Reads the object, and follows it from then on. Resolves after the first read, whatever it found; never rejects. */
  load(): Promise<void>;
  /** Stops following, and writes what is pending. Never rejects. */
  close(): Promise<void>;
}

export const createSharedTable = <R extends Row>(options: SharedTableOptions<R>): SharedTable<R> => {
  const { object, kind, maxBytes, report } = options;
  let content: SharedContent | undefined;
  let stored: ReadonlyMap<string, R> = new Map();
  const pending = new Map<string, R>();
  let revision = 0;
  let reportedMalformed = false;
  const closed = new AbortController();

  const parse = (key: string, text: string): R | undefined => {
    const known = stored.get(key);
    return known?.text === text ? known : kind.parse(key, text);
  };
  const addPending = (row: R): void => {
    const previous = pending.get(row.key);
    pending.delete(row.key);
    pending.set(row.key, previous === undefined ? row : kind.merge(previous, row));
    // The API server may be away for long: no more is kept for it than it would take.
    let bytes = 0;
    for (const { key, text } of [...pending.values()].toReversed()) {
      bytes += key.length + text.length;
      if (bytes > maxBytes) pending.delete(key);
    }
  };
  const receive = (next: SharedContent | undefined): void => {
    content = next;
    if (next === undefined) return;
    const rows = Object.entries(next.data).map(([key, text]) => parse(key, text));
    const sound = rows.filter((row): row is R => row !== undefined);
    if (sound.length < rows.length && !reportedMalformed) {
      reportedMalformed = true;
      report(new Error(`${object.name}: ${rows.length - sound.length} entries are malformed and ignored`));
    }
    const isLost = rows.length === 0 && stored.size > 0;
    if (isLost) for (const row of stored.values()) if (!pending.has(row.key)) addPending(row);
    if (!isLost) stored = new Map(sound.map((row) => [row.key, row]));
    revision += 1;
    if (pending.size > 0) schedule.request();
  };

  const write = async (signal: AbortSignal): Promise<WriteOutcome> => {
    if (content === undefined) receive(await object.read(signal));
    if (content === undefined) return 'absent';
    const batch = [...pending.values()];
    const changes = planChanges(content, batch, { ...kind, parse }, maxBytes);
    const outcome =
      Object.keys(changes).length === 0 ? content : await object.change(content.version, changes, signal);
    if (outcome === 'conflict') {
      content = undefined;
      return outcome;
    }
    for (const row of batch) if (pending.get(row.key) === row) pending.delete(row.key);
    receive(outcome);
    return 'written';
  };
  const schedule = createWriteSchedule({ write, report, ...options.times });

  return {
    find(key) {
      const [ours, theirs] = [pending.get(key), stored.get(key)];
      return ours !== undefined && theirs !== undefined ? kind.merge(theirs, ours) : (ours ?? theirs);
    },
    rows: () => new Map([...stored, ...pending]).values(),
    revision: () => revision,
    put(row) {
      const known = stored.get(row.key);
      if (known !== undefined && kind.merge(known, row) === known) return;
      addPending(row);
      revision += 1;
      schedule.request();
    },
    load: () => follow({ object, receive, report, signal: closed.signal }),
    async close() {
      closed.abort();
      await schedule.close();
    },
  };
};
