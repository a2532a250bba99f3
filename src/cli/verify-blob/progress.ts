import type { Flags, Io } from '../command-line/command.ts';
import { progressFlag } from '../shared/progress.ts';
import { isTerminal } from '../shared/terminal.ts';

const MEBIBYTE = 2 ** 20;

/** A file that is read in less than the blink of an eye needs no line about it. */
const WORTH_SHOWING = 64 * MEBIBYTE;

const toMebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(0);

/**
 * Passes chunks on and tells on one line of a terminal how many bytes of `total` have passed; `total` is undefined where
 * nobody knows it, and the line goes with the last chunk. Says nothing where there is no terminal, or it is told not to.
 */
export async function* withProgress<Chunk extends Uint8Array | string>(
  chunks: AsyncIterable<Chunk>,
  total: number | undefined,
  { stderr, env }: Io,
  flags: Flags,
): AsyncGenerator<Chunk> {
  const shown =
    !flags.has(progressFlag.name) && isTerminal(stderr, env) && (total ?? Infinity) >= WORTH_SHOWING;
  const of = total === undefined ? '' : ` of ${toMebibytes(total)}`;
  let passed = 0;
  let told = 0;
  try {
    for await (const chunk of chunks) {
      passed += chunk.length;
      if (shown && passed - told >= WORTH_SHOWING) {
        told = passed;
        stderr.write(`\r${toMebibytes(passed)}${of} MiB`);
      }
      yield chunk;
    }
  } finally {
    if (told > 0) stderr.write('\r\u001B[K');
  }
}
