/**
 * Hands over the results of concurrent work in the order of its items, each as soon as it and all before it are there.
 * The returned function takes the index of an item, from 0, and its result.
 */
export const createInOrder = <T>(take: (item: T) => void): ((index: number, item: T) => void) => {
  const waiting = new Map<number, { readonly item: T }>();
  let next = 0;
  return (index, item) => {
    waiting.set(index, { item });
    for (let entry = waiting.get(next); entry !== undefined; entry = waiting.get(next)) {
      waiting.delete(next);
      next += 1;
      take(entry.item);
    }
  };
};
