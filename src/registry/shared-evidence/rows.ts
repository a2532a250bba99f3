import { DAY_MS } from '../../base/index.ts';
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
  /** The time at which the row was stored first, if the kind keeps it. */
  readonly since?: number;
}

/** How the rows of an object are read and merged. */
export interface RowKind<R extends Row> {
  /** Undefined: the text is malformed. Never throws: others may write the object. */
  parse(key: string, text: string): R | undefined;
  /** Merges a row with the one that is stored under its key. Returns `stored` itself if nothing need be written. */
  merge(stored: R, ours: R): R;
}

const sizeOf = (key: string, text: string): number => Buffer.byteLength(key) + Buffer.byteLength(text);

/** The rows of one repository, the first to remove first. */
interface Share {
  bytes: number;
  readonly rows: Row[];
}

/** The time of the last use is written once a day: rows whose last uses differ by less count as used alike. */
const USED_ALIKE_MS = 2 * DAY_MS;

/**
 * Sorts rows, the first to remove first: the least recently used, and of those in use the one that came last. So what one
 * tries once, such as every release of Istio in turn, removes nothing that is used every day.
 */
const byUse = (rows: readonly Row[]): readonly Row[] => {
  const newest = rows.reduce((latest, { used }) => Math.max(latest, used), Number.NEGATIVE_INFINITY);
  const rankOf = ({ used }: Row): number => (newest - used < USED_ALIKE_MS ? newest : used);
  return rows.toSorted(
    (left, right) =>
      rankOf(left) - rankOf(right) || (right.since ?? 0) - (left.since ?? 0) || left.used - right.used,
  );
};

const sharesOf = (rows: Iterable<Row>): readonly Share[] => {
  const shares = new Map<string, Share>();
  for (const row of byUse([...rows])) {
    const share = shares.get(row.repository) ?? { bytes: 0, rows: [] };
    shares.set(row.repository, share);
    share.bytes += sizeOf(row.key, row.text);
    share.rows.push(row);
  }
  return [...shares.values()];
};

/**
 * Returns the keys to remove so that `excess` bytes are gained: each time a row of the repository that holds most, so that a flood of rows of one repository removes its own.
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

/** Returns the bytes that rows take in their object. */
export const bytesOf = (rows: readonly Row[]): number =>
  rows.reduce((sum, { key, text }) => sum + sizeOf(key, text), 0);

/** A malformed key is counted, and was never used. */
const malformedRow = (key: string, text: string): Row => ({
  key,
  text,
  repository: '',
  used: Number.NEGATIVE_INFINITY,
});

/** Returns the keys of the rows to remove where they are too large: first what is malformed. */
export const findExcess = (rows: readonly Row[], maxBytes: number): readonly string[] => {
  if (bytesOf(rows) <= maxBytes) return [];
  const malformed = rows.filter(({ used }) => used === Number.NEGATIVE_INFINITY);
  const sound = rows.filter(({ used }) => used !== Number.NEGATIVE_INFINITY);
  const excess = bytesOf(sound) - maxBytes * (1 - HEADROOM);
  return [...malformed.map(({ key }) => key), ...keysToRemove(sound, excess)];
};

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
  const rows = new Map<string, Row>();
  for (const [key, text] of Object.entries(data))
    rows.set(key, kind.parse(key, text) ?? malformedRow(key, text));
  // A map, because any name can be a key of the object: `__proto__` too.
  const changes = new Map<string, string | null>();
  for (const row of added) {
    const stored = kind.parse(row.key, data[row.key] ?? '');
    const merged = stored === undefined ? row : kind.merge(stored, row);
    if (merged === stored) continue;
    rows.set(row.key, merged);
    changes.set(row.key, merged.text);
  }
  for (const key of findExcess([...rows.values()], maxBytes))
    if (Object.hasOwn(data, key)) changes.set(key, null);
    else changes.delete(key);
  return Object.fromEntries(changes);
};
