import type { EvidenceRow } from './evidence-kind.ts';
import { bytesOf } from './rows.ts';

/** The evidence that replicas share, in numbers: for metrics. Times are in milliseconds since the epoch. */
export interface SharedEvidenceState {
  readonly images: number;
  readonly bytes: number;
  readonly limitBytes: number;
  /** Images and tags that this replica has yet to write. */
  readonly pending: number;
  /** The times at which the oldest and the newest evidence was stored; undefined if there is none. */
  readonly oldest: number | undefined;
  readonly newest: number | undefined;
  /** The last use that is noted. */
  readonly used: number | undefined;
}

const extremeOf = (
  times: readonly number[],
  isBetter: (time: number, best: number) => boolean,
): number | undefined =>
  times.reduce<number | undefined>(
    (best, time) => (best === undefined || isBetter(time, best) ? time : best),
    undefined,
  );

/** Summarises the rows of all objects with evidence. */
export const sharedEvidenceStateOf = (
  rows: readonly EvidenceRow[],
  counts: Pick<SharedEvidenceState, 'limitBytes' | 'pending'>,
): SharedEvidenceState => {
  const since = rows.map((row) => row.since);
  const used = rows.map((row) => row.used);
  return {
    ...counts,
    images: rows.length,
    bytes: bytesOf(rows),
    oldest: extremeOf(since, (time, best) => time < best),
    newest: extremeOf(since, (time, best) => time > best),
    used: extremeOf(used, (time, best) => time > best),
  };
};
