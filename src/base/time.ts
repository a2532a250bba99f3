export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/**
 * Returns a signal that is aborted after some milliseconds. Unlike `AbortSignal.timeout` it follows a replaced clock of
 * timers. The timer does not keep the process alive.
 */
export const timeoutSignal = (milliseconds: number): AbortSignal => {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new DOMException('the time is up', 'TimeoutError'));
  setTimeout(abort, milliseconds).unref();
  return controller.signal;
};

/**
 * Settles as `work` does, or with the result of `onAbort` as soon as `signal` is aborted; `onAbort` may throw. Does not
 * stop the work: others may be waiting for it too.
 */
export const orAborted = <T, U>(work: Promise<T>, signal: AbortSignal, onAbort: () => U): Promise<T | U> => {
  const { promise: aborted, resolve, reject } = Promise.withResolvers<U>();
  const abort = (): void => {
    try {
      resolve(onAbort());
    } catch (error) {
      reject(error);
    }
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', abort));
};

/** Resolves when the signal is aborted. */
export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
