import type { KeyEntry } from './key-entry.ts';

/** The state of the locations of keys, which the key ring itself does not hold: for metrics. */
export interface KeyRingHealth {
  /** URLs that serve another key than the loaded one. */
  readonly changed: number;
  /**
   * Milliseconds since the epoch of the last successful read of a URL or file: of the one that was not read for the longest
   * time. Undefined if there is none, or one was never read: then its keys are missing.
   */
  readonly oldestRead: number | undefined;
}

/** Summarises the entries that are read again and again. */
export const healthOf = (entries: readonly KeyEntry[]): KeyRingHealth => {
  const read = entries.flatMap(({ health }) => health?.() ?? []);
  const times = read.flatMap(({ readAt }) => readAt ?? []);
  return {
    changed: read.filter(({ changed }) => changed).length,
    oldestRead: times.length === 0 || times.length < read.length ? undefined : Math.min(...times),
  };
};
