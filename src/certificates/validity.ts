import { HOUR_MS } from '../base/index.ts';
/**
 * Milliseconds that a certificate is valid before it is made: nodes' and API servers' clocks differ.
 */
export const BACKDATE_MS = HOUR_MS;

/** A span of validity, in milliseconds since the epoch. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

/** A clock that was set back must not take what is not valid yet for valid. */
export const isValid = ({ from, until }: Validity, now: number): boolean => now >= from && now < until;

/** Two thirds of its life are over, counted from when it was made. */
export const isDue = ({ from, until }: Validity, now: number): boolean => {
  const made = Math.min(from + BACKDATE_MS, until);
  return now >= made + ((until - made) * 2) / 3;
};
