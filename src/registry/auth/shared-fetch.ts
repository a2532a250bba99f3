import type { Caller } from '../http/http-message.ts';

/** A request that several callers wait for. */
export interface SharedFetch<T> {
  /** Waits with the others for the result. */
  join(caller: Caller): Promise<T>;
}

/**
 * Starts a request for callers who join at once or later. Each is told when the wait for the registry begins and ends. The
 * request ends when all of them have left, so that it does not outlive the slots that they held; `onEnd` is called before.
 */
export const createSharedFetch = <T>(
  fetch: (caller: Omit<Caller, 'onRequest'>) => Promise<T>,
  onEnd: () => void,
): SharedFetch<T> => {
  const controller = new AbortController();
  /** The callers who wait, each with what ends its wait for the registry. */
  const waiting = new Map<Caller, (() => void) | undefined>();
  let isWaiting = false;
  const beginWait = (caller: Caller): void => void waiting.set(caller, caller.onWait());
  const endWait = (caller: Caller): void => {
    waiting.get(caller)?.();
    waiting.set(caller, undefined);
  };
  const onWait = (): (() => void) => {
    isWaiting = true;
    for (const caller of waiting.keys()) beginWait(caller);
    return () => {
      isWaiting = false;
      for (const caller of waiting.keys()) endWait(caller);
    };
  };
  const leave = (caller: Caller): void => {
    endWait(caller);
    waiting.delete(caller);
    if (waiting.size > 0) return;
    onEnd();
    controller.abort();
  };
  // Begins in the next turn of the promises: the first caller has joined by then.
  const result = Promise.resolve().then(() => fetch({ signal: controller.signal, onWait }));
  return {
    async join(caller) {
      waiting.set(caller, undefined);
      if (isWaiting) beginWait(caller);
      const abort = (): void => leave(caller);
      caller.signal.addEventListener('abort', abort, { once: true });
      try {
        return await result;
      } finally {
        caller.signal.removeEventListener('abort', abort);
        leave(caller);
      }
    },
  };
};
