/**
 * A bucket of `burst` tokens that gains `perSecond`, full at first. `take` says whether there was a token. `now`:
 * milliseconds; a clock that goes back gains nothing.
 */
export const createTokenBucket = (
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
  now: () => number,
): { readonly take: () => boolean } => {
  let tokens = burst;
  let filledAt = now();
  const take = (): boolean => {
    const at = now();
    tokens = Math.min(burst, tokens + (Math.max(0, at - filledAt) / 1000) * perSecond);
    filledAt = at;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  return { take };
};
