import { expect, it, onTestFinished, vi } from 'vitest';
import type { CanaryProblems } from '../../src/verification/index.ts';
import { watchCanary } from '../../src/webhook/canary-watch.ts';

const GOOD: CanaryProblems = { good: undefined, forged: undefined, borrowed: undefined };

const start = async (first: CanaryProblems) => {
  vi.useFakeTimers();
  const shutdown = new AbortController();
  onTestFinished(() => {
    shutdown.abort();
    vi.useRealTimers();
  });
  const results: unknown[] = [];
  const lines: [string, object][] = [];
  const world = { problems: first, time: 1_000 };
  await watchCanary({
    metrics: { setCanary: (result, at) => void results.push([result, at]) },
    log: {
      info: (fields, message) => void lines.push([message, fields]),
      error: (fields, message) => void lines.push([message, fields]),
    },
    now: () => world.time,
    shutdown: shutdown.signal,
    run: async () => world.problems,
  });
  const minute = async (problems: CanaryProblems) => {
    Object.assign(world, { problems, time: world.time + 60_000 });
    await vi.advanceTimersByTimeAsync(60_000);
  };
  return { results, lines, minute, shutdown };
};

it('a canary that fails is seen in the metrics of the case, and logged once until it changes', async () => {
  const { results, lines, minute } = await start(GOOD);
  const forged = { ...GOOD, forged: 'canary: expected signer-untrusted, got verified' };
  await minute(forged);
  await minute(forged);
  await minute(GOOD);
  expect(results).toEqual([
    [{ good: true, forged: true, borrowed: true }, 1_000],
    [{ good: true, forged: false, borrowed: true }, 61_000],
    [{ good: true, forged: false, borrowed: true }, 121_000],
    [{ good: true, forged: true, borrowed: true }, 181_000],
  ]);
  expect(lines).toEqual([
    ['the canary failed: verdicts are not to be trusted', { problem: forged.forged }],
    ['the canary succeeds again', {}],
  ]);
});

it('the canary runs no more once the process shuts down', async () => {
  const { results, minute, shutdown } = await start(GOOD);
  shutdown.abort();
  await minute(GOOD);
  expect(results).toHaveLength(1);
});
