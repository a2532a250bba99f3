import type { Address, LookUp } from './addresses.ts';

/** The system's resolver holds a thread of this process until it ends; there are four, for files too. */
const MAX_LOOKUPS = 2;
/** Lookups in line; the oldest, which few still wait for, makes room. */
const MAX_WAITING = 64;

/**
 * Bounds the lookups of names that a response chose: whoever chooses names that resolve slowly must not keep the registry's
 * own name from being resolved. Concurrent lookups of one name are one, and the latest in line comes first.
 */
export const createBoundedLookUp = (lookUp: LookUp): LookUp => {
  const inFlight = new Map<string, Promise<readonly Address[]>>();
  const waiting: PromiseWithResolvers<void>[] = [];
  let running = 0;

  const enter = async (): Promise<void> => {
    if (running < MAX_LOOKUPS) {
      running += 1;
      return;
    }
    const place = Promise.withResolvers<void>();
    waiting.push(place);
    if (waiting.length > MAX_WAITING) waiting.shift()?.reject(new Error('too many names are being resolved'));
    await place.promise;
  };
  const leave = (): void => {
    const next = waiting.pop();
    if (next === undefined) running -= 1;
    else next.resolve();
  };
  const start = async (hostname: string): Promise<readonly Address[]> => {
    await enter();
    try {
      return await lookUp(hostname);
    } finally {
      leave();
    }
  };

  return (hostname) => {
    const addresses = inFlight.get(hostname) ?? start(hostname).finally(() => inFlight.delete(hostname));
    inFlight.set(hostname, addresses);
    return addresses;
  };
};
