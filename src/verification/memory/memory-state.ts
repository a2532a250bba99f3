import type { Memory } from './memory.ts';
import type { BudgetState } from './request-budgets.ts';
import type { VerifiedLimits } from './verified-memory.ts';

/** The memory and the work of a verifier, in numbers: for metrics. */
export interface MemoryState {
  readonly entries: Readonly<Record<'verified' | 'rejected' | 'verifiedTag' | 'otherTag' | 'start', number>>;
  readonly verifiedBytes: number;
  readonly verifiedLimitBytes: number;
  /** Shared requests in flight, by the question. */
  readonly flights: Readonly<Record<'tag' | 'signatures' | 'start', number>>;
  readonly budgets: BudgetState;
}

/** Counts what a memory holds. */
export const memoryStateOf = (
  { verified, starts, tags, budgets, tagResolutions, startReads, generation }: Memory,
  { verifiedBytes }: Pick<VerifiedLimits, 'verifiedBytes'>,
): MemoryState => {
  const { rejected, sourceReads } = generation();
  const [signatures, known] = [verified.size(), tags.size()];
  return {
    entries: {
      verified: signatures.entries,
      rejected: rejected.size(),
      verifiedTag: known.verified,
      otherTag: known.others,
      start: starts.size(),
    },
    verifiedBytes: signatures.bytes,
    verifiedLimitBytes: verifiedBytes,
    flights: { tag: tagResolutions.size(), signatures: sourceReads.size(), start: startReads.size() },
    budgets: budgets.state(),
  };
};
