import type { Io } from './command.ts';

/** Counts on one line of a terminal; says nothing where there is none, or where it is told not to. */
export const createProgress = ({ stderr, env }: Io, total: number, what: string, wanted: boolean) => {
  const shown = wanted && stderr.isTTY === true && total > 1 && env['TERM'] !== 'dumb';
  let done = 0;
  const show = (): void => void stderr.write(`\r${what} ${done}/${total}`);
  if (shown) show();
  return {
    advance(): void {
      done += 1;
      if (shown) show();
    },
    clear(): void {
      if (shown) stderr.write('\r\u001B[K');
    },
  };
};
