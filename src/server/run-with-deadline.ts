import type { Deadline } from './deadline.ts';

/**
 * Runs `work` with a signal that aborts after `abortAfterMs`. Settles as `work` does, or resolves to undefined after
 * `respondAfterMs`: work that ignores its signal cannot keep a caller waiting. No timer outlives it.
 */
export const runWithDeadline = <Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { abortAfterMs: giveUp, respondAfterMs: answer }: Deadline,
): Promise<Result | undefined> =>
  new Promise((resolve, reject) => {
    const controller = new AbortController();
    let timer = setTimeout(() => {
      timer = setTimeout(() => resolve(undefined), answer - giveUp);
      controller.abort(new DOMException('the review timed out', 'TimeoutError'));
    }, giveUp);
    work(controller.signal)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
