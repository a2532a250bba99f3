import type { ReportError } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import type { TagTable } from '../../registry/index.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { RejectionReason, UndeterminedReason, ValidSignature } from '../verification.ts';
import { createSingleFlight, type SingleFlight } from './single-flight.ts';
import {
  createRejectedMemory,
  createTagMemory,
  createVerifiedMemory,
  type MemoryLimits,
  type RejectedMemory,
  type TagMemory,
  type VerifiedMemory,
} from './stores.ts';

export interface MemoryDependencies {
  /** Returns the current key ring; called at every use. */
  readonly ring: () => KeyRing;
  readonly limits: MemoryLimits & {
    /** The deadline of a shared request in flight, in milliseconds, whoever waits for it. */
    readonly flightDeadline: number;
  };
  /** Milliseconds that the digest of a tag may be cached; 0: not at all. */
  readonly tagMemory: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: ReportError;
  /** The last resolutions of tags, stored beyond the life of the process. */
  readonly tagTable?: Pick<TagTable, 'last' | 'add'> | undefined;
}

/** What is known of one digest once a source was asked for it. */
export interface SourceResult {
  /** Every valid signature, those held before included. */
  readonly signatures: readonly ValidSignature[];
  /** The best explanation of what did not count; undefined where everything did. */
  readonly failure: RejectionReason | UndeterminedReason | undefined;
}

/** What is true only while the ring stays as it is. */
export interface RingGeneration {
  readonly ring: KeyRing;
  readonly rejected: RejectedMemory;
  readonly flights: SingleFlight<SourceResult>;
}

/** All that a verifier remembers, and what is under way. */
export interface Memory {
  readonly verified: VerifiedMemory;
  readonly tags: TagMemory;
  readonly tagFlights: SingleFlight<Digest | undefined>;
  /** The era of the ring of this moment: a changed ring begins a new one, without *rejected* and without its flights. */
  readonly generation: () => RingGeneration;
}

export const createMemory = (options: MemoryDependencies): Memory => {
  const { limits, now, report, ring } = options;
  const flying = { deadline: limits.flightDeadline, report };
  const begin = (keys: KeyRing): RingGeneration => ({
    ring: keys,
    rejected: createRejectedMemory(limits, now),
    flights: createSingleFlight(flying),
  });
  let era: RingGeneration | undefined;
  return {
    verified: createVerifiedMemory(limits),
    tags: createTagMemory(limits, options),
    tagFlights: createSingleFlight(flying),
    generation: () => {
      const keys = ring();
      if (keys !== era?.ring) era = begin(keys);
      return era;
    },
  };
};
