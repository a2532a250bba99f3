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

/** Bytes; a longer body takes milliseconds to parse. Those of genuine signatures are shorter. */
const MAX_UNTIMED_BYTES = 16_384;

/** Waits for a turn of the event loop to parse a long body in; resolves at once for a short one, which waits for no other. */
export const turnToParse = async (body: Uint8Array): Promise<void> => {
  if (body.length > MAX_UNTIMED_BYTES) await ownTurn();
};
