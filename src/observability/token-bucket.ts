/**
 * Creates a bucket of `burst` tokens, full at first, that is refilled at `perSecond`. `take` returns true if there was a
 * token. `now` is in milliseconds; a clock that goes back adds no tokens.
 */
export const createTokenBucket = (
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
  now: () => number,
): { readonly take: () => boolean } => {
  let tokens = burst;
  let refilledAt = now();
  const take = (): boolean => {
    const at = now();
    tokens = Math.min(burst, tokens + (Math.max(0, at - refilledAt) / 1000) * perSecond);
    refilledAt = at;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  return { take };
};
