import { setImmediate as nextTurn } from 'node:timers/promises';

let last: Promise<void> = Promise.resolve();

/**
 * Resolves in a turn of the event loop that no other caller gets. Work that takes milliseconds waits for one, so that
 * pieces of it that become ready together do not hold up everything else for the sum of their times.
 */
export const ownTurn = (): Promise<void> => {
  last = last.then(() => nextTurn());
  return last;
};
