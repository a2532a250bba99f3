import type { Deadline } from './deadline.ts';

/**
 * Runs `work` with a signal that aborts after `abortAfterMs`. Settles as `work` does, or resolves to undefined after
 * `respondAfterMs`: work that ignores its signal cannot keep a caller waiting. No timer outlives it.
 */
export const runWithDeadline = <Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { abortAfterMs, respondAfterMs }: Deadline,
): Promise<Result | undefined> =>
  new Promise((resolve, reject) => {
    const controller = new AbortController();
    let timer = setTimeout(() => {
      timer = setTimeout(() => resolve(undefined), respondAfterMs - abortAfterMs);
      controller.abort(new DOMException('the review timed out', 'TimeoutError'));
    }, abortAfterMs);
    work(controller.signal)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
