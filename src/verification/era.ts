import type { Digest } from '../image/index.ts';
import { createFlights, type Flights } from './flights.ts';
import type { KeyRing } from './key-ring.ts';
import {
  createRejectedMemory,
  createTagMemory,
  createVerifiedMemory,
  type RejectedMemory,
  type TagMemory,
  type VerifiedMemory,
} from './memory.ts';
import type { Obstacle, Rejection, ValidSignature } from './verification.ts';
import type { VerifierOptions } from './verifier-options.ts';

/** What is known of one digest once a source was asked for it. */
export interface Findings {
  /** Every valid signature, those held before included. */
  readonly signatures: readonly ValidSignature[];
  /** The best explanation of what did not count; undefined where everything did. */
  readonly failure: Rejection | Obstacle | undefined;
}

/** What is true only while the ring stays as it is. */
export interface Era {
  readonly ring: KeyRing;
  readonly rejected: RejectedMemory;
  readonly flights: Flights<Findings>;
}

/** All that a verifier remembers, and what is under way. */
export interface Memory {
  readonly verified: VerifiedMemory;
  readonly tags: TagMemory;
  readonly tagFlights: Flights<Digest | undefined>;
  /** The era of the ring of this moment: a changed ring begins a new one, without *rejected* and without its flights. */
  readonly era: () => Era;
}

export const createMemory = (options: VerifierOptions): Memory => {
  const { limits, now, report, ring } = options;
  const flying = { deadline: limits.flightDeadline, report };
  const begin = (keys: KeyRing): Era => ({
    ring: keys,
    rejected: createRejectedMemory(limits, now),
    flights: createFlights(flying),
  });
  let era: Era | undefined;
  return {
    verified: createVerifiedMemory(limits),
    tags: createTagMemory(limits, options),
    tagFlights: createFlights(flying),
    era: () => {
      const keys = ring();
      if (keys !== era?.ring) era = begin(keys);
      return era;
    },
  };
};
