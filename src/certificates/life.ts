/**
 * Milliseconds that a certificate is valid before it is made: nodes' and API servers' clocks differ.
 */
export const BACKDATED = 3_600_000;

/** A span of validity, in milliseconds since the epoch. */
export interface Life {
  readonly from: number;
  readonly until: number;
}

/** A clock that was set back must not take what is not valid yet for valid. */
export const isValid = ({ from, until }: Life, now: number): boolean => now >= from && now < until;

/** Two thirds of its life are over, counted from when it was made. */
export const isDue = ({ from, until }: Life, now: number): boolean => {
  const made = Math.min(from + BACKDATED, until);
  return now >= made + ((until - made) * 2) / 3;
};
