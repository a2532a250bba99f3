/**
 * The fast path: returns what `recall` finds in memory, or else the promise of `orElse`. A result from memory costs no
 * promise and no timer, which is the steady state of the webhook (`npm run bench`). `recall` returns undefined if memory
 * does not suffice, and never decides differently from `orElse`; an error that it throws is left to `orElse` to report.
 */
export const recallOrElse = <Result>(
  recall: () => Result | undefined,
  orElse: () => Promise<Result>,
): Result | Promise<Result> => {
  let recalled: Result | undefined;
  try {
    recalled = recall();
  } catch {
    recalled = undefined;
  }
  return recalled ?? orElse();
};
