export interface TokenBucket {
  /** Takes a token. Returns false if there is none. */
  readonly take: () => boolean;
  /** Gives tokens back that were taken. */
  readonly giveBack: (count: number) => void;
  readonly isFull: () => boolean;
  /** True if `take` would return false. */
  readonly isEmpty: () => boolean;
}

/**
 * Creates a bucket of `burst` tokens, full at first, that is refilled at `perSecond`. `now` is in milliseconds; a clock that
 * goes back adds no tokens.
 */
export const createTokenBucket = (
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
  now: () => number,
): TokenBucket => {
  let tokens = burst;
  let refilledAt = now();
  const add = (count: number): void => {
    tokens = Math.min(burst, tokens + count);
  };
  const refill = (): void => {
    const at = now();
    add((Math.max(0, at - refilledAt) / 1000) * perSecond);
    refilledAt = at;
  };
  return {
    take() {
      refill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    giveBack: add,
    isFull() {
      refill();
      return tokens >= burst;
    },
    isEmpty() {
      refill();
      return tokens < 1;
    },
  };
};
