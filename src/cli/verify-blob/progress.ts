import type { Flags, Io } from '../command-line/command.ts';
import { progressFlag } from '../shared/progress.ts';
import { isTerminal } from '../shared/terminal.ts';

const MEBIBYTE = 2 ** 20;

/** Smaller files are read in an instant, without progress. Also the distance between two updates of the line. */
const MIN_BYTES_SHOWN = 64 * MEBIBYTE;

const toMebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(0);

/**
 * Passes chunks on, and shows on one line of a terminal how many of `total` bytes have passed. `total` is undefined if the
 * size is not known. Removes the line after the last chunk. Writes nothing if there is no terminal, or with
 * `--no-progress`.
 */
export async function* withProgress<Chunk extends Uint8Array | string>(
  chunks: AsyncIterable<Chunk>,
  total: number | undefined,
  { stderr, env }: Io,
  flags: Flags,
): AsyncGenerator<Chunk> {
  const isShown =
    !flags.has(progressFlag.name) && isTerminal(stderr, env) && (total ?? Infinity) >= MIN_BYTES_SHOWN;
  const ofTotal = total === undefined ? '' : ` of ${toMebibytes(total)}`;
  let passed = 0;
  let lastShown = 0;
  try {
    for await (const chunk of chunks) {
      passed += chunk.length;
      if (isShown && passed - lastShown >= MIN_BYTES_SHOWN) {
        lastShown = passed;
        stderr.write(`\r${toMebibytes(passed)}${ofTotal} MiB`);
      }
      yield chunk;
    }
  } finally {
    if (lastShown > 0) stderr.write('\r\u001B[K');
  }
}
