import type { SharedChanges, SharedContent } from './shared-object.ts';

/** One key of a shared object, as read. */
export interface Row {
  readonly key: string;
  /** The value, without which the row could not be written again. */
  readonly text: string;
  /** The repository whose share the row counts against. */
  readonly repository: string;
  /** The time of the last use, in milliseconds since the epoch. */
  readonly used: number;
}

/** How the rows of an object are read and merged. */
export interface RowKind<R extends Row> {
  /** Undefined: the text is malformed. Never throws: others may write the object. */
  parse(key: string, text: string): R | undefined;
  /** Merges a row with the one that is stored under its key. Returns `stored` itself if nothing need be written. */
  merge(stored: R, ours: R): R;
}

const sizeOf = (key: string, text: string): number => Buffer.byteLength(key) + Buffer.byteLength(text);

/** The rows of one repository, the least recently used first. */
interface Share {
  bytes: number;
  readonly rows: Row[];
}

const sharesOf = (rows: Iterable<Row>): readonly Share[] => {
  const shares = new Map<string, Share>();
  for (const row of [...rows].toSorted((left, right) => left.used - right.used)) {
    const share = shares.get(row.repository) ?? { bytes: 0, rows: [] };
    shares.set(row.repository, share);
    share.bytes += sizeOf(row.key, row.text);
    share.rows.push(row);
  }
  return [...shares.values()];
};

/**
 * Returns the keys to remove so that `excess` bytes are gained: each time the least recently used row of the repository
 * that holds most, so that a flood of rows of one repository removes its own.
 */
const keysToRemove = (rows: Iterable<Row>, excess: number): readonly string[] => {
  const shares = sharesOf(rows);
  const removed: string[] = [];
  for (let gained = 0; gained < excess; ) {
    const largest = shares.reduce<Share | undefined>(
      (most, share) => (share.bytes > (most?.bytes ?? 0) ? share : most),
      undefined,
    );
    const row = largest?.rows.shift();
    if (largest === undefined || row === undefined) break;
    const bytes = sizeOf(row.key, row.text);
    largest.bytes -= bytes;
    gained += bytes;
    removed.push(row.key);
  }
  return removed;
};

/** Room that is made beyond what is needed, so that not every write must remove rows. */
const HEADROOM = 1 / 16;

/**
 * Returns the changes that add rows to an object of at most `maxBytes`, which other replicas write too. Malformed keys stay
 * while there is room, because a newer release may have written them, and go first when there is none.
 */
export const planChanges = <R extends Row>(
  { data }: Pick<SharedContent, 'data'>,
  added: Iterable<R>,
  kind: RowKind<R>,
  maxBytes: number,
): SharedChanges => {
  const changes: Record<string, string | null> = {};
  const rows = new Map<string, Row>();
  for (const [key, text] of Object.entries(data))
    rows.set(key, kind.parse(key, text) ?? { key, text, repository: '', used: Number.NEGATIVE_INFINITY });
  for (const row of added) {
    const stored = kind.parse(row.key, data[row.key] ?? '');
    const merged = stored === undefined ? row : kind.merge(stored, row);
    if (merged === stored) continue;
    rows.set(row.key, merged);
    changes[row.key] = merged.text;
  }
  const total = [...rows.values()].reduce((sum, { key, text }) => sum + sizeOf(key, text), 0);
  if (total <= maxBytes) return changes;
  const malformed = [...rows.values()].filter(({ used }) => used === Number.NEGATIVE_INFINITY);
  for (const { key } of malformed) rows.delete(key);
  const excess =
    total - malformed.reduce((sum, { key, text }) => sum + sizeOf(key, text), 0) - maxBytes * (1 - HEADROOM);
  for (const key of [...malformed.map((row) => row.key), ...keysToRemove(rows.values(), excess)])
    if (key in data) changes[key] = null;
    else delete changes[key];
  return changes;
};
