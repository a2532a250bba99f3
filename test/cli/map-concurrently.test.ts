import { describe, expect, it } from 'vitest';
import { mapConcurrently } from '../../src/cli/shared/map-concurrently.ts';

describe('mapBounded', () => {
  it('rejects as soon as one does', async () => {
    const never = new Promise<number>(() => {});
    const map = (item: number) => (item === 1 ? Promise.reject(new Error('one')) : never);
    await expect(mapConcurrently([0, 1, 2], 2, map)).rejects.toThrow('one');
  });

  it('works on so many at once and no more, and keeps the order whoever is first', async () => {
    const list = Array.from({ length: 20 }, (_, index) => index);
    let [running, most] = [0, 0];
    const results = await mapConcurrently(list, 3, async (item) => {
      running += 1;
      most = Math.max(most, running);
      for (let turn = item % 4; turn >= 0; turn -= 1) await Promise.resolve();
      running -= 1;
      return item * 2;
    });
    expect(results).toEqual(list.map((item) => item * 2));
    expect(most).toBe(3);
  });

  it('does nothing with nothing', async () => {
    expect(await mapConcurrently([], 3, () => Promise.reject(new Error('asked')))).toEqual([]);
  });
});
