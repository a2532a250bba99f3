/** Waits for work as long as `signal` allows, and leaves it running; undefined: time was up first. Rejects as it does. */
export const within = <T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> => {
  const { promise: up, resolve } = Promise.withResolvers<undefined>();
  const leave = (): void => resolve(undefined);
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  return Promise.race([work, up]).finally(() => signal.removeEventListener('abort', leave));
};
