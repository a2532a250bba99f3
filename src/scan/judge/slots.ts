/** Runs work, at most so much at the same time; the rest waits in the order in which it came. */
export type Slots = <Result>(work: () => Promise<Result>) => Promise<Result>;

export const createSlots = (max: number): Slots => {
  const waiting: (() => void)[] = [];
  let free = max;
  const give = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await work();
    } finally {
      give();
    }
  };
};
