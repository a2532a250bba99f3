import { parseDuration } from '../config/index.ts';

/** The maximum of `timeoutSeconds` (1 to 30, admissionregistration.k8s.io/v1). */
const MAX_TIMEOUT_MS = 30_000;

export interface DeadlineLimits {
  /** Milliseconds of the caller's timeout that are reserved for the response. */
  readonly reviewMargin: number;
  /** Milliseconds for a review if the caller sends no timeout. */
  readonly reviewDeadline: number;
}

/** The deadline of a review, in milliseconds from its arrival. */
export interface Deadline {
  /** Requests that are still in flight are aborted. */
  readonly abortAfterMs: number;
  /** A response is sent even if the review has not ended. After `abortAfterMs`, and before the caller stops waiting. */
  readonly respondAfterMs: number;
}

/**
 * Returns the deadline of a review for the `?timeout=` that the API server sends (`10s`, in whole seconds: the rest of its
 * own). The margin is reserved for the response, or half of a timeout that is shorter than two margins. An invalid
 * timeout, or 0, counts as not sent.
 */
export const deadlineOf = (timeout: unknown, { reviewMargin, reviewDeadline }: DeadlineLimits): Deadline => {
  const sent = parseDuration(timeout) ?? 0;
  if (sent === 0) return { abortAfterMs: reviewDeadline, respondAfterMs: reviewDeadline + reviewMargin / 2 };
  const timeoutMs = Math.min(sent, MAX_TIMEOUT_MS);
  const abortAfterMs = Math.max(timeoutMs - reviewMargin, timeoutMs / 2);
  return { abortAfterMs, respondAfterMs: (abortAfterMs + timeoutMs) / 2 };
};

/** Returns the longest time that a caller may wait for a review that has arrived, in milliseconds. */
export const maxWaitMs = ({ reviewDeadline, reviewMargin }: DeadlineLimits): number =>
  Math.max(MAX_TIMEOUT_MS, reviewDeadline + reviewMargin);
