import type { Registry } from '@prometheus-io/client';
import type { MemoryState, Verification } from '../../verification/index.ts';
import { createCounter, createHistogram, createRead, createSnapshot, define, single } from './definition.ts';
import { BOOLEANS, OUTCOMES } from './labels.ts';

const VERIFICATIONS = define(
  'counter',
  'sailmark_verifications_total',
  'Verifications of an image, and if the verdict came from memory',
  { outcome: OUTCOMES, from_memory: BOOLEANS },
);
const DURATION = define(
  'histogram',
  'sailmark_verification_duration_seconds',
  'Time of a verification that did not come from memory',
  {},
);
const ENTRIES = define(
  'gauge',
  'sailmark_memory_entries',
  'Entries of the memory of verdicts, by what they hold',
  {
    memory: ['verified', 'rejected', 'verified-tag', 'other-tag', 'start'],
  },
);
const BYTES = define(
  'gauge',
  'sailmark_memory_verified_bytes',
  'Estimated size of the memory of valid signatures',
  {},
);
const LIMIT = define(
  'gauge',
  'sailmark_memory_verified_limit_bytes',
  'Size past which the memory of valid signatures forgets the least recently used',
  {},
);
const FLIGHTS = define(
  'gauge',
  'sailmark_verification_flights',
  'Questions to sources that are in flight now, each shared by all who wait for it',
  { question: ['tag', 'signatures', 'start'] },
);
const BUDGETS = define(
  'gauge',
  'sailmark_request_budget_namespaces',
  'Namespaces with a budget of questions to registries that is not full; exhausted: the next one is refused',
  { state: ['in-use', 'exhausted'] },
);
const REFUSED = define(
  'counter',
  'sailmark_request_budget_refusals_total',
  'Questions to registries that were refused because the budget of their namespace was used up',
  {},
);

export const verificationDefinitions = [
  VERIFICATIONS,
  DURATION,
  ENTRIES,
  BYTES,
  LIMIT,
  FLIGHTS,
  BUDGETS,
  REFUSED,
] as const;

export interface VerificationMetrics {
  countVerification(verification: Verification, seconds: number): void;
  /** Reads the state of the memory whenever the metrics are rendered. */
  watchMemory(state: () => MemoryState): void;
}

/** Creates the metrics of verifications, and of what they remember. */
export const createVerificationMetrics = (registry: Registry): VerificationMetrics => {
  const verifications = createCounter(VERIFICATIONS, registry);
  const duration = createHistogram(DURATION, registry);
  return {
    countVerification({ outcome, fromMemory }, seconds) {
      verifications({ outcome, from_memory: fromMemory ? 'true' : 'false' });
      if (!fromMemory) duration({}, seconds);
    },
    watchMemory(read) {
      const state = createSnapshot(read);
      createRead(ENTRIES, registry, () => {
        const { verified, rejected, verifiedTag, otherTag, start } = state().entries;
        return [
          [{ memory: 'verified' }, verified],
          [{ memory: 'rejected' }, rejected],
          [{ memory: 'verified-tag' }, verifiedTag],
          [{ memory: 'other-tag' }, otherTag],
          [{ memory: 'start' }, start],
        ];
      });
      createRead(BYTES, registry, () => single(state().verifiedBytes));
      createRead(LIMIT, registry, () => single(state().verifiedLimitBytes));
      createRead(FLIGHTS, registry, () => {
        const { tag, signatures, start } = state().flights;
        return [
          [{ question: 'tag' }, tag],
          [{ question: 'signatures' }, signatures],
          [{ question: 'start' }, start],
        ];
      });
      createRead(BUDGETS, registry, () => {
        const { inUse, exhausted } = state().budgets;
        return [
          [{ state: 'in-use' }, inUse],
          [{ state: 'exhausted' }, exhausted],
        ];
      });
      createRead(REFUSED, registry, () => single(state().budgets.refused));
    },
  };
};
