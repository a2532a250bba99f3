/** True if less than `periodMs` have passed since `at`. False for a time in the future: the clock was set back. */
export const isRecent = (at: number, now: number, periodMs: number): boolean =>
  now >= at && now - at < periodMs;
