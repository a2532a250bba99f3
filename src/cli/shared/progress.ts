import type { Flag, Flags, Io } from '../command-line/command.ts';
import { isTerminal } from './terminal.ts';

export const progressFlag: Flag = { name: 'no-progress', help: 'do not show progress on a terminal' };

export interface Progress {
  /** Counts one more item as done. */
  increment(): void;
  /** Removes the progress line. */
  clear(): void;
}

/** Creates a counter on one line of a terminal. Writes nothing if there is no terminal, or with `--no-progress`. */
export const createProgress = ({ stderr, env }: Io, flags: Flags, total: number): Progress => {
  const isShown = !flags.has(progressFlag.name) && isTerminal(stderr, env) && total > 1;
  const write = (text: string): void => {
    if (isShown) stderr.write(text);
  };
  let done = 0;
  let isVisible = false;
  const show = (): void => {
    isVisible = true;
    write(`\r${done} of ${total}`);
  };
  show();
  return {
    increment: () => {
      done += 1;
      show();
    },
    clear: () => {
      if (isVisible) write('\r\u001B[K');
      isVisible = false;
    },
  };
};
