import { describe, expect, it } from 'vitest';
import { createConcurrencyLimit } from '../../src/registry/concurrency-limit.ts';
import { faultOf } from './test-client.ts';

const NEVER = new AbortController().signal;

/** Work that the test ends. */
const work = () => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const state = { begun: false };
  return {
    state,
    end: resolve,
    break: reject,
    run: () => {
      state.begun = true;
      return promise;
    },
  };
};

describe('a concurrency limit', () => {
  it('lets so many through at once, and the next in line when one is done, however it ended', async () => {
    const through = createConcurrencyLimit(2, 'r.example');
    const all = [work(), work(), work(), work()];
    const results = all.map(({ run }) => through(run, NEVER).catch((error: Error) => error.message));
    const begun = async (): Promise<readonly boolean[]> => {
      await new Promise(setImmediate);
      return all.map(({ state }) => state.begun);
    };
    expect(await begun()).toEqual([true, true, false, false]);
    all[1]?.break(new Error('broke'));
    expect(await begun()).toEqual([true, true, true, false]);
    all[0]?.end('first');
    expect(await begun()).toEqual([true, true, true, true]);
    all[2]?.end('third');
    all[3]?.end('fourth');
    expect(await Promise.all(results)).toEqual(['first', 'broke', 'third', 'fourth']);
  });

  it('sends away who runs out of time in line, unasked, and keeps the place of nobody', async () => {
    const through = createConcurrencyLimit(1, 'r.example');
    const [inside, late, next] = [work(), work(), work()];
    const first = through(inside.run, NEVER);
    const caller = new AbortController();
    const left = faultOf(through(late.run, caller.signal));
    const third = through(next.run, NEVER);
    caller.abort();
    expect(await left).toEqual({
      code: 'deadline',
      asked: false,
      message: 'no time was left to send a request to r.example: 1 requests are in flight',
    });
    inside.end('in');
    next.end('next');
    expect([await first, await third, late.state.begun]).toEqual(['in', 'next', false]);
  });

  it('does not let who has no time left stand in line', async () => {
    const through = createConcurrencyLimit(1, 'r.example');
    const inside = work();
    const first = through(inside.run, NEVER);
    expect(await faultOf(through(work().run, AbortSignal.abort()))).toMatchObject({
      code: 'deadline',
      asked: false,
    });
    inside.end('in');
    expect(await first).toBe('in');
  });
});
