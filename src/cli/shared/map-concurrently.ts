/** Maps a list with at most `maxConcurrent` calls in progress, and keeps its order. Rejects as soon as one call does. */
export const mapConcurrently = async <T, U>(
  list: readonly T[],
  maxConcurrent: number,
  map: (item: T, index: number) => Promise<U>,
): Promise<readonly U[]> => {
  const results: U[] = [];
  const entries = list.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await map(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrent, list.length) }, work));
  return results;
};
