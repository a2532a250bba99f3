import type { ReportError } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import type { ReadStart } from '../configuration/read-start.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { RejectionReason, UndeterminedReason, ValidSignature } from '../verification.ts';
import { type AbsentTags, createAbsentTags } from './absent-tags.ts';
import { createAttentiveClock } from './attentive-clock.ts';
import type { EarlyStart } from './found-start.ts';
import { createRejectedMemory, type RejectedLimits, type RejectedMemory } from './rejected-memory.ts';
import { type BudgetLimits, createRequestBudgets, type RequestBudgets } from './request-budgets.ts';
import { createSingleFlight, type SingleFlight } from './single-flight.ts';
import { createStartMemory, type StartMemory } from './start-memory.ts';
import { createStoredProofs, type StoredProofs } from './stored-proofs.ts';
import { createTagMemory, type TagDependencies, type TagLimits, type TagMemory } from './tag-memory.ts';
import { createVerifiedMemory, type VerifiedLimits, type VerifiedMemory } from './verified-memory.ts';

interface MemoryLimits extends VerifiedLimits, RejectedLimits, TagLimits, BudgetLimits {
  /** The deadline of a shared request, in milliseconds, whoever waits for it. */
  readonly flightDeadline: number;
  /** Milliseconds without a response after which a registry that was asked is out of service. */
  readonly registrySilence: number;
}

export interface MemoryDependencies extends TagDependencies {
  /** Returns the current key ring; called at every use. */
  readonly ring: () => KeyRing;
  readonly limits: MemoryLimits;
  readonly report: ReportError;
  /** Milliseconds of a clock that never goes back; by default the process's. */
  readonly monotonic?: (() => number) | undefined;
}

/** The signatures of a digest after a source was read for it. */
export interface SourceResult {
  /** Every valid signature known of the digest, from whatever source. */
  readonly signatures: readonly ValidSignature[];
  /** The most important failure among the candidates of the source; undefined if every one is valid. */
  readonly failure: RejectionReason | UndeterminedReason | undefined;
  /** The start of the image, if it was read beside the signatures. */
  readonly early?: EarlyStart | undefined;
}

/** The state that is valid only while the key ring is unchanged. */
export interface RingGeneration {
  readonly ring: KeyRing;
  readonly rejected: RejectedMemory;
  readonly sourceReads: SingleFlight<SourceResult>;
}

/** Everything a verifier remembers, and its requests in flight. */
export interface Memory {
  readonly verified: VerifiedMemory;
  readonly starts: StartMemory;
  readonly storedProofs: StoredProofs;
  readonly tags: TagMemory;
  readonly absentTags: AbsentTags;
  readonly budgets: RequestBudgets;
  readonly tagResolutions: SingleFlight<Digest | undefined>;
  readonly startReads: SingleFlight<ReadStart | undefined>;
  /**
   * Returns the generation of the current key ring. A changed ring begins a new one, which rejects and reads nothing
   * yet.
   */
  readonly generation: () => RingGeneration;
}

export const createMemory = (dependencies: MemoryDependencies): Memory => {
  const { limits, now, report, ring: currentRing, monotonic = () => performance.now() } = dependencies;
  const { flightDeadline: deadline, registrySilence } = limits;
  const flightOptions = { deadline, registrySilence, clock: createAttentiveClock(monotonic), report };
  const createGeneration = (ring: KeyRing): RingGeneration => ({
    ring,
    rejected: createRejectedMemory(limits, now),
    sourceReads: createSingleFlight(flightOptions),
  });
  let generation: RingGeneration | undefined;
  return {
    verified: createVerifiedMemory(limits),
    storedProofs: createStoredProofs(limits),
    starts: createStartMemory(),
    tags: createTagMemory(limits, dependencies),
    absentTags: createAbsentTags(limits, now),
    budgets: createRequestBudgets(limits, monotonic),
    tagResolutions: createSingleFlight(flightOptions),
    startReads: createSingleFlight(flightOptions),
    generation: () => {
      const ring = currentRing();
      if (ring !== generation?.ring) generation = createGeneration(ring);
      return generation;
    },
  };
};
