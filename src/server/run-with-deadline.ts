import type { Deadline } from './deadline.ts';

/**
 * Runs `work` with a signal that ends at `giveUp`. Settles as it does, or resolves to undefined at `answer` where it has
 * not: work that misses its signal cannot keep a caller waiting. No timer outlives it.
 */
export const runWithDeadline = <Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { abortAfterMs: giveUp, respondAfterMs: answer }: Deadline,
): Promise<Result | undefined> =>
  new Promise((resolve, reject) => {
    const controller = new AbortController();
    let timer = setTimeout(() => {
      timer = setTimeout(() => resolve(undefined), answer - giveUp);
      controller.abort(new DOMException('the review is out of time', 'TimeoutError'));
    }, giveUp);
    work(controller.signal)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
