/** Maps a list side by side, at most `atOnce` at a time, and keeps its order. Rejects as soon as one does. */
export const mapConcurrently = async <T, U>(
  list: readonly T[],
  atOnce: number,
  map: (item: T) => Promise<U>,
): Promise<readonly U[]> => {
  const results: U[] = [];
  const waiting = list.entries();
  const work = async (): Promise<void> => {
    for (const [place, item] of waiting) results[place] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, work));
  return results;
};
