import { HOUR_MS } from '../base/index.ts';

/** A certificate is valid from this long before it is issued, because the clocks of nodes and API servers differ. */
export const BACKDATE_MS = HOUR_MS;

/** A span of validity, in milliseconds since the epoch. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

/** Checks `from` too: a certificate that is not valid yet must not count as valid after the clock was set back. */
export const isValid = ({ from, until }: Validity, now: number): boolean => now >= from && now < until;

/** True if two thirds of the validity are over, counted from the time of issue. */
export const isDue = ({ from, until }: Validity, now: number): boolean => {
  const issued = Math.min(from + BACKDATE_MS, until);
  return now >= issued + ((until - issued) * 2) / 3;
};
