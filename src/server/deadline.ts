import { parseDuration } from '../config/index.ts';

/** The API server takes no longer `timeoutSeconds` (1 to 30, admissionregistration.k8s.io/v1). */
const MAX_TIMEOUT_MS = 30_000;

export interface DeadlineLimits {
  /** Milliseconds kept back of the caller's timeout. */
  readonly reviewMargin: number;
  /** Milliseconds, where the caller names no timeout. */
  readonly reviewDeadline: number;
}

/** When a review ends, in milliseconds from its arrival. */
export interface Deadline {
  /** What is still being asked is given up. */
  readonly abortAfterMs: number;
  /** An answer is sent, whatever the review does. Past `giveUp`, and before the caller stops waiting. */
  readonly respondAfterMs: number;
}

/**
 * The deadline of a review by the `?timeout=` the API server sends (`10s`, in whole seconds, what is left of its own).
 * The margin is kept back for the answer, or half of a timeout that is shorter than two margins. A timeout that is none
 * or 0 counts as not sent.
 */
export const deadlineOf = (timeout: unknown, { reviewMargin, reviewDeadline }: DeadlineLimits): Deadline => {
  const sent = parseDuration(timeout) ?? 0;
  if (sent === 0) return { abortAfterMs: reviewDeadline, respondAfterMs: reviewDeadline + reviewMargin / 2 };
  const whole = Math.min(sent, MAX_TIMEOUT_MS);
  const giveUp = Math.max(whole - reviewMargin, whole / 2);
  return { abortAfterMs: giveUp, respondAfterMs: (giveUp + whole) / 2 };
};

/** The longest a caller may still wait for a review that has arrived. */
export const maxWaitMs = ({ reviewDeadline, reviewMargin }: DeadlineLimits): number =>
  Math.max(MAX_TIMEOUT_MS, reviewDeadline + reviewMargin);
