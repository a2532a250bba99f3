/** A number of places that namespaces share. */
export interface Shares {
  /** Takes a place for a namespace; false if it may have no more. */
  take(namespace: string): boolean;
  /** The number of times that a place was refused. */
  refused(): number;
}

/**
 * Creates shares of `max` places: a namespace holds at most as many as are left free, so that one namespace cannot keep
 * out the others, whatever its pods name.
 */
export const createShares = (max: number): Shares => {
  const taken = new Map<string, number>();
  let [total, refused] = [0, 0];
  return {
    take(namespace) {
      const own = taken.get(namespace) ?? 0;
      if (own >= max - total) {
        refused += 1;
        return false;
      }
      taken.set(namespace, own + 1);
      total += 1;
      return true;
    },
    refused: () => refused,
  };
};
