/** Runs work at once, or in a later turn of the event loop if the work of this turn has taken its time. */
export type RunInShortTurns = (work: () => void) => void;

/**
 * Work that takes milliseconds, and that many ask for together, holds up everything else for `milliseconds` in a turn of
 * the event loop and one piece of work more. It is run in the order in which it was given.
 */
export const createShortTurns = (milliseconds: number): RunInShortTurns => {
  const waiting: (() => void)[] = [];
  let spent = 0;
  let isTurnOpen = false;
  const run = (work: () => void): void => {
    const startedAt = performance.now();
    try {
      work();
    } finally {
      spent += performance.now() - startedAt;
    }
  };
  const isFull = (): boolean => spent >= milliseconds;
  const next = (): (() => void) | undefined => (isFull() ? undefined : waiting.shift());
  const closeTurn = (): void => {
    isTurnOpen = false;
    spent = 0;
    if (waiting.length > 0) openTurn();
    for (let work = next(); work !== undefined; work = next()) run(work);
  };
  const openTurn = (): void => {
    if (!isTurnOpen) setImmediate(closeTurn);
    isTurnOpen = true;
  };
  return (work) => {
    openTurn();
    if (waiting.length > 0 || isFull()) waiting.push(work);
    else run(work);
  };
};
