import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  readonly seconds?: number;
  /** Milliseconds between two attempts. */
  readonly every?: number;
  /** Ends the attempts early. */
  readonly signal?: AbortSignal;
}

/** Rejects with the signal's reason when it ends; a pending attempt would hold up the caller otherwise. */
const orEnded = async <Value>(attempt: Promise<Value>, signal: AbortSignal): Promise<Value> => {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([attempt, ended]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};

/**
 * Calls `find` until it returns something other than undefined or false, and resolves with that. An error counts as a
 * failed attempt. After `seconds` it rejects with the last error as the cause, even while an attempt is pending.
 */
export const until = async <Found>(
  what: string,
  find: () => Promise<Found | undefined | false>,
  { seconds = 30, every = 50, signal }: UntilOptions = {},
): Promise<Found> => {
  const timeout = AbortSignal.timeout(seconds * 1000);
  const end = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  let cause: unknown;
  while (!end.aborted) {
    try {
      const found = await orEnded(find(), end);
      if (found !== undefined && found !== false) return found;
      cause = undefined;
    } catch (error) {
      if (!end.aborted || cause === undefined) cause = error;
    }
    await delay(every);
  }
  throw new Error(`waited ${seconds} s in vain: ${what}`, { cause });
};
