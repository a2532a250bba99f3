/**
 * Takes at most `limit` items: of those with an equal rank, each namespace's first before any namespace's second. So whoever
 * makes thousands of refused pods in one namespace pushes out nobody else's first ones.
 */
export const takeTurns = <T extends { readonly namespace: string }>(
  items: readonly T[],
  rankOf: (item: T) => number,
  limit: number,
): readonly T[] => {
  if (items.length <= limit) return items;
  const seen = new Map<string, number>();
  const placed = items.map((item, index) => {
    const rank = rankOf(item);
    const key = `${rank} ${item.namespace}`;
    const turn = seen.get(key) ?? 0;
    seen.set(key, turn + 1);
    return { item, rank, turn, index };
  });
  return placed
    .toSorted((a, b) => a.rank - b.rank || a.turn - b.turn || a.index - b.index)
    .slice(0, limit)
    .map(({ item }) => item);
};
