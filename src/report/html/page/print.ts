/*
 * Paper does not unfold: before the page is printed, everything that matters is.
 */

const unfolds: (() => void)[] = [];
const folds: (() => void)[] = [];
let isPrinting = false;

/** Calls `unfold` before the page is printed, and `fold` afterwards. */
export const onPrint = (unfold: () => void, fold: () => void): void => {
  unfolds.push(unfold);
  folds.push(fold);
};

const turn = (toPrint: boolean): void => {
  if (toPrint === isPrinting) return;
  isPrinting = toPrint;
  for (const run of toPrint ? unfolds : folds) run();
};

/** Browsers say it in two ways, and some in both. */
export const watchPrint = (): void => {
  addEventListener('beforeprint', () => turn(true));
  addEventListener('afterprint', () => turn(false));
  matchMedia('print').addEventListener('change', ({ matches }) => turn(matches));
};
