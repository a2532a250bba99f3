import { findExcess, planChanges, type Row, type RowKind } from './rows.ts';
import type { SharedChanges, SharedContent } from './shared-object.ts';

/** The rows of a shared object as last read, and those of this process that are not written yet. Pure state. */
export interface RowStore<R extends Row> {
  /** The object as last read; undefined if it does not exist, was not read yet, or was changed since. */
  content(): SharedContent | undefined;
  find(key: string): R | undefined;
  rows(): Iterable<R>;
  /** Increases with every change of the rows. */
  revision(): number;
  /** Adds a row to those to write. Returns false if it adds nothing to what is stored. */
  put(row: R): boolean;
  /**
   * Takes the object as read. Rows that were read before are kept while it does not exist, and are to be written again if it
   * was emptied. Returns the number of malformed keys.
   */
  receive(content: SharedContent | undefined): number;
  /** Forgets the version: the object was changed by another client. */
  invalidate(): void;
  hasPending(): boolean;
  pendingRows(): number;
  /** Plans the write of all pending rows. `done` is called once they are written. */
  plan(content: SharedContent): { readonly changes: SharedChanges; readonly done: () => void };
}

export const createRowStore = <R extends Row>(kind: RowKind<R>, maxBytes: number): RowStore<R> => {
  let content: SharedContent | undefined;
  let stored: ReadonlyMap<string, R> = new Map();
  const pending = new Map<string, R>();
  let revision = 0;

  const parse = (key: string, text: string): R | undefined => {
    const known = stored.get(key);
    return known?.text === text ? known : kind.parse(key, text);
  };
  const addPending = (row: R): void => {
    const previous = pending.get(row.key);
    pending.delete(row.key);
    pending.set(row.key, previous === undefined ? row : kind.merge(previous, row));
    // The API server may be away for long: no more is kept for it than it would take.
    for (const key of findExcess([...pending.values()], maxBytes)) pending.delete(key);
  };

  return {
    content: () => content,
    find(key) {
      const [ours, theirs] = [pending.get(key), stored.get(key)];
      return ours !== undefined && theirs !== undefined ? kind.merge(theirs, ours) : (ours ?? theirs);
    },
    rows: () => new Map([...stored, ...pending]).values(),
    revision: () => revision,
    put(row) {
      const known = stored.get(row.key);
      if (known !== undefined && kind.merge(known, row) === known) return false;
      addPending(row);
      revision += 1;
      return true;
    },
    receive(next) {
      content = next;
      if (next === undefined) return 0;
      const entries = Object.entries(next.data);
      const sound = entries.flatMap(([key, text]) => parse(key, text) ?? []);
      if (entries.length > 0) stored = new Map(sound.map((row) => [row.key, row]));
      else for (const row of stored.values()) if (!pending.has(row.key)) addPending(row);
      revision += 1;
      return entries.length - sound.length;
    },
    invalidate: () => void (content = undefined),
    hasPending: () => pending.size > 0,
    pendingRows: () => pending.size,
    plan(current) {
      const batch = [...pending.values()];
      return {
        changes: planChanges(current, batch, { ...kind, parse }, maxBytes),
        done() {
          for (const row of batch) if (pending.get(row.key) === row) pending.delete(row.key);
        },
      };
    },
  };
};
