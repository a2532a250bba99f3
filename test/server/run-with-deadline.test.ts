import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runWithDeadline } from '../../src/server/run-with-deadline.ts';

const deadline = { abortAfterMs: 9000, respondAfterMs: 9500 };

describe('settling by a deadline', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives the result of work that is done in time, and leaves no timer', async () => {
    expect(await runWithDeadline(async () => 'done', deadline)).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rejects as the work does, and leaves no timer', async () => {
    await expect(runWithDeadline(() => Promise.reject(new Error('no')), deadline)).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends the signal when the work is to give up, and waits for what it then says', async () => {
    const settled = runWithDeadline(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('late'))),
      deadline,
    );
    vi.advanceTimersByTime(9000);
    expect(await settled).toBe('late');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not end the signal before', async () => {
    let aborted: boolean | undefined;
    void runWithDeadline((signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => {});
    }, deadline);
    vi.advanceTimersByTime(8999);
    expect(aborted).toBeUndefined();
  });

  it('does without work that misses its signal', async () => {
    const settled = runWithDeadline(() => new Promise(() => {}), deadline);
    vi.advanceTimersByTime(9500);
    expect(await settled).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not mind how such work ends', async () => {
    const { promise, reject } = Promise.withResolvers<string>();
    const settled = runWithDeadline(() => promise, deadline);
    vi.advanceTimersByTime(9500);
    reject(new Error('much later'));
    expect(await settled).toBeUndefined();
  });
});
