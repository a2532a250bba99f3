import { describe, expect, it } from 'vitest';
import { createConcurrencyLimit } from '../../src/registry/concurrency-limit.ts';
import type { Purpose } from '../../src/registry/fair-queue.ts';
import { faultOf } from './test-client.ts';

const NEVER = new AbortController().signal;

const purposeOf = (requester: string, options: Partial<Purpose> = {}): Purpose => ({
  requester,
  repository: `${requester}/own`,
  known: false,
  ...options,
});

/** A limit, and work in it that the test ends. */
const startLimit = (max: number) => {
  const { run: runInSlot } = createConcurrencyLimit(max, 'r.example');
  /** The names of the work that has begun, in order. */
  const begun: string[] = [];
  const start = (name: string, purpose: Purpose, signal = NEVER) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const run = (): Promise<string> => {
      begun.push(name);
      return promise;
    };
    const result = runInSlot(purpose, run, signal);
    result.catch(() => undefined);
    return { result, end: () => resolve(name), break: () => reject(new Error(`${name} broke`)) };
  };
  const startMany = (count: number, name: string, purpose: Purpose) =>
    Array.from({ length: count }, (_, index) => start(`${name}${index + 1}`, purpose));
  return {
    start,
    startMany,
    /** Removes and returns what has begun since the last call. */
    async takeBegun(): Promise<readonly string[]> {
      await new Promise(setImmediate);
      return begun.splice(0);
    },
  };
};

describe('a requester whose requests hang', () => {
  it('never holds a slot that it does not leave free once more', async () => {
    const { start, takeBegun } = startLimit(7);
    for (let each = 1; each <= 100; each += 1) start(`a${each}`, purposeOf('a', { repository: `${each}` }));
    expect(await takeBegun()).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  it('leaves slots to the next, and so does that one', async () => {
    const { startMany, takeBegun } = startLimit(7);
    for (const name of ['a', 'b', 'c', 'd']) startMany(100, name, purposeOf(name));
    expect(await takeBegun()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'c1', 'd1']);
  });

  it('leaves slots to others in the same repository, and so does the next', async () => {
    const { start, startMany, takeBegun } = startLimit(64);
    startMany(100, 'a', purposeOf('a', { repository: 'istio/proxyv2' }));
    expect(await takeBegun()).toHaveLength(19);
    startMany(100, 'b', purposeOf('b', { repository: 'istio/proxyv2' }));
    expect(await takeBegun()).toHaveLength(6);
    start('shop', purposeOf('shop', { repository: 'istio/proxyv2' }));
    expect(await takeBegun()).toEqual(['shop']);
  });

  it('takes no slot of the known requests of others, however many such requesters there are', async () => {
    const { start, startMany, takeBegun } = startLimit(16);
    for (let each = 0; each < 50; each += 1) startMany(50, `a${each}-`, purposeOf(`a${each}`));
    expect(await takeBegun()).toHaveLength(14);
    start('known', purposeOf('shop', { known: true }));
    expect(await takeBegun()).toEqual(['known']);
  });
});

describe('a repository whose requests hang', () => {
  it('leaves slots to others, whoever asks for it', async () => {
    const { start, takeBegun } = startLimit(7);
    for (let each = 0; each < 50; each += 1)
      start(`a${each}`, purposeOf(`a${each}`, { repository: 'istio/hanging' }));
    expect(await takeBegun()).toHaveLength(4);
    start('other', purposeOf('a0', { repository: 'istio/pilot' }));
    expect(await takeBegun()).toEqual(['other']);
  });
});

describe('requests in line', () => {
  it('are taken from one requester after the other, known ones first', async () => {
    const { start, startMany, takeBegun } = startLimit(1);
    const first = start('first', purposeOf('first'));
    const waiting = [
      ...startMany(3, 'a', purposeOf('a')),
      ...startMany(2, 'b', purposeOf('b')),
      start('c1', purposeOf('c')),
      ...startMany(2, 'known', purposeOf('d', { known: true })),
    ];
    first.end();
    for (const each of waiting) each.end();
    expect(await takeBegun()).toEqual(['first', 'known1', 'known2', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('of one requester are taken from one repository after the other', async () => {
    const { start, startMany, takeBegun } = startLimit(1);
    const first = start('first', purposeOf('first'));
    const waiting = [
      ...startMany(2, 'pilot', purposeOf('a', { repository: 'pilot' })),
      start('proxy1', purposeOf('a', { repository: 'proxy' })),
    ];
    first.end();
    for (const each of waiting) each.end();
    expect(await takeBegun()).toEqual(['first', 'pilot1', 'proxy1', 'pilot2']);
  });

  it('leave it with the time of their caller, unasked, and keep the place of nobody', async () => {
    const { start, takeBegun } = startLimit(1);
    const inside = start('inside', purposeOf('a'));
    const caller = new AbortController();
    const late = start('late', purposeOf('a'), caller.signal);
    const next = start('next', purposeOf('a'));
    caller.abort();
    expect(await faultOf(late.result)).toEqual({
      code: 'deadline',
      asked: false,
      message: 'no request was sent to r.example in time: 1 requests are in flight',
    });
    inside.end();
    next.end();
    expect([await inside.result, await next.result]).toEqual(['inside', 'next']);
    expect(await takeBegun()).toEqual(['inside', 'next']);
  });

  it('are none of a caller who has no time left', async () => {
    const { start, takeBegun } = startLimit(1);
    expect(await faultOf(start('late', purposeOf('a'), AbortSignal.abort()).result)).toMatchObject({
      code: 'deadline',
      asked: false,
    });
    expect(await takeBegun()).toEqual([]);
  });

  it('are bounded, and one requester leaves room for others there too', async () => {
    const { start, startMany, takeBegun } = startLimit(1);
    const many = startMany(4_000, 'a', purposeOf('a'));
    const refused = await faultOf(many.at(-1)?.result ?? Promise.resolve());
    expect(refused).toMatchObject({ code: 'deadline', asked: false });
    const other = start('other', purposeOf('b'));
    other.end();
    many[0]?.end();
    many[1]?.end();
    expect(await takeBegun()).toEqual(['a1', 'a2', 'other', 'a3']);
  });

  it('begin when one before them ends, however it ended', async () => {
    const { start, takeBegun } = startLimit(1);
    const [first, second] = [start('first', purposeOf('a')), start('second', purposeOf('a'))];
    first.break();
    second.end();
    await expect(first.result).rejects.toThrow('first broke');
    expect(await second.result).toBe('second');
    expect(await takeBegun()).toEqual(['first', 'second']);
  });
});
