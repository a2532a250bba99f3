import { createTokenBucket, type TokenBucket } from '../../base/index.ts';

/** The questions to registries that each namespace may cause, beyond those about images that are verified. */
export interface RequestBudgets {
  /** Takes one question from the budget of a namespace. Returns false if it is used up. */
  take(namespace: string): boolean;
  /** Gives questions back: their answer was that the image is verified. */
  giveBack(namespace: string, count: number): void;
  /** Counts the budgets now; used for metrics only. */
  state(): BudgetState;
}

/** The budgets that are not full, and the questions refused so far. */
export interface BudgetState {
  readonly inUse: number;
  readonly exhausted: number;
  readonly refused: number;
}

export interface BudgetLimits {
  /** Questions at once. */
  readonly requestBudget: number;
  readonly requestBudgetPerSecond: number;
}

/** Bounds memory. Anyone who reaches the port can name any namespace. */
const MAX_NAMESPACES = 10_000;

/**
 * Creates the budgets. `now` is in milliseconds. Past the number of namespaces only a full budget is forgotten, which is as
 * good as a new one; while there is none, the namespaces that are not known yet share one. Nobody's spent budget becomes
 * full again because others came.
 */
export const createRequestBudgets = (
  { requestBudget: burst, requestBudgetPerSecond: perSecond }: BudgetLimits,
  now: () => number,
  maxNamespaces = MAX_NAMESPACES,
): RequestBudgets => {
  const rate = { burst, perSecond };
  const shared = createTokenBucket(rate, now);
  /** The one that was used the longest time ago comes first. */
  const budgets = new Map<string, TokenBucket>();
  let refused = 0;
  const counted = (taken: boolean): boolean => {
    if (!taken) refused += 1;
    return taken;
  };
  const open = (): TokenBucket => {
    const [oldest] = budgets;
    if (budgets.size >= maxNamespaces && oldest !== undefined) {
      if (!oldest[1].isFull()) return shared;
      budgets.delete(oldest[0]);
    }
    return createTokenBucket(rate, now);
  };
  return {
    take(namespace) {
      const budget = budgets.get(namespace) ?? open();
      if (budget === shared) return counted(shared.take());
      budgets.delete(namespace);
      budgets.set(namespace, budget);
      return counted(budget.take());
    },
    giveBack: (namespace, count) => (budgets.get(namespace) ?? shared).giveBack(count),
    state() {
      let [inUse, exhausted] = [0, 0];
      for (const budget of [shared, ...budgets.values()]) {
        if (!budget.isFull()) inUse += 1;
        if (budget.isEmpty()) exhausted += 1;
      }
      return { inUse, exhausted, refused };
    },
  };
};
