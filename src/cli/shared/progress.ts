import type { Flag, Flags, Io } from '../command-line/command.ts';
import { isTerminal } from './terminal.ts';

export const progressFlag: Flag = { name: 'no-progress', help: 'no progress line on a terminal' };

export interface Progress {
  increment(): void;
  clear(): void;
}

/** Counts on one line of a terminal; says nothing where there is none, or where it is told not to. */
export const createProgress = ({ stderr, env }: Io, flags: Flags, total: number): Progress => {
  const shown = !flags.has(progressFlag.name) && isTerminal(stderr, env) && total > 1;
  const write = (text: string): void => {
    if (shown) stderr.write(text);
  };
  let done = 0;
  const show = (): void => write(`\r${done} of ${total}`);
  show();
  return {
    increment: () => {
      done += 1;
      show();
    },
    clear: () => write('\r\u001B[K'),
  };
};
