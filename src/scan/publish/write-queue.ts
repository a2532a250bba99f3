import { ClusterFault } from '../../kubernetes/index.ts';

/** `foreign`: another's object is in the way. `skipped`: there is nothing to write to any more. */
export type WriteResult = 'written' | 'removed' | 'conflict' | 'foreign' | 'skipped';

interface QueueOutcome {
  readonly counts: Readonly<Record<WriteResult, number>>;
  /** The messages of failed writes. */
  readonly failures: readonly string[];
  /** Writes that were not tried, because others failed before. */
  readonly notTried: number;
}

export interface WriteQueue {
  add(namespace: string, write: () => Promise<WriteResult>): void;
  /** Runs every write. Rejects only with an error that is no fault of the cluster. */
  run(): Promise<QueueOutcome>;
}

/** Writes in flight: the API server has others to serve. */
const MAX_CONCURRENT = 4;
/** Whatever fails so often in a row fails for all. */
const MAX_FAILURES_IN_A_ROW = 10;

/**
 * Creates a queue of writes. A namespace that refuses one (403) is left alone from
 * then on, so that it stops no other.
 */
export const createWriteQueue = (): WriteQueue => {
  const writes: { readonly namespace: string; readonly write: () => Promise<WriteResult> }[] = [];
  const counts = { written: 0, removed: 0, conflict: 0, foreign: 0, skipped: 0 };
  const failures: string[] = [];
  const closed = new Set<string>();
  let inARow = 0;
  let notTried = 0;

  const attempt = async ({ namespace, write }: (typeof writes)[number]): Promise<void> => {
    if (inARow >= MAX_FAILURES_IN_A_ROW || closed.has(namespace)) {
      notTried += 1;
      return;
    }
    try {
      counts[await write()] += 1;
      inARow = 0;
    } catch (error) {
      if (!(error instanceof ClusterFault)) throw error;
      if (error.status === 403) closed.add(namespace);
      failures.push(error.message);
      inARow += 1;
    }
  };

  return {
    add: (namespace, write) => void writes.push({ namespace, write }),
    async run() {
      const rest = writes.values();
      const work = async (): Promise<void> => {
        for (const next of rest) await attempt(next);
      };
      await Promise.all(Array.from({ length: MAX_CONCURRENT }, work));
      return { counts, failures, notTried };
    },
  };
};
