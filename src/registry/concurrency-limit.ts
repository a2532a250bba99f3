import { SourceFault } from './source.ts';

/** Limits the requests in flight to one registry; further ones wait in line until their signals end. */
export const createConcurrencyLimit = (max: number, registry: string) => {
  let inFlight = 0;
  const waiting: (() => void)[] = [];
  const acquire = async (signal: AbortSignal): Promise<void> => {
    if (inFlight < max) {
      inFlight += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      const place = waiting.indexOf(resolve);
      if (place !== -1) waiting.splice(place, 1);
      const detail = `no time was left to send a request to ${registry}: ${max} requests are in flight`;
      reject(new SourceFault('deadline', detail, { asked: false }));
    };
    if (signal.aborted) leave();
    else waiting.push(resolve);
    signal.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', leave));
  };
  /** Passes the slot to the next in line, or frees it. */
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) inFlight -= 1;
    else next();
  };
  return async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    await acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  };
};
