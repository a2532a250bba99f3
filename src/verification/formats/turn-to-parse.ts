import { ownTurn } from '../../base/index.ts';

/** Bytes; a longer body takes milliseconds to parse. Those of genuine signatures are shorter. */
const MAX_UNTIMED_BYTES = 16_384;

/** Waits for a turn of the event loop to parse a long body in; resolves at once for a short one. */
export const turnToParse = async (body: Uint8Array): Promise<void> => {
  if (body.length > MAX_UNTIMED_BYTES) await ownTurn();
};
