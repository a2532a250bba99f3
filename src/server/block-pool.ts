/** Bytes of a block: those of ordinary reviews fit in one. */
export const BLOCK_BYTES = 32 * 1024;

/** Blocks are made by the mebibyte, so that the allocator keeps them apart from what is freed again. */
const BLOCKS_AT_ONCE = 32;

/** Blocks of memory that are made once and used again. */
export interface BlockPool {
  /** Returns a block; undefined if all are in use. */
  take(): Buffer | undefined;
  give(blocks: readonly Buffer[]): void;
  /** Bytes of the blocks in use, and of all. */
  state(): { readonly bytes: number; readonly limitBytes: number };
}

/** Creates a pool of so many bytes of blocks, which are made as they are needed and never freed. */
export const createBlockPool = (bytes: number): BlockPool => {
  const free: Buffer[] = [];
  const all = Math.ceil(bytes / BLOCK_BYTES);
  let unmade = all;
  const make = (): void => {
    const count = Math.min(unmade, BLOCKS_AT_ONCE);
    const slab = Buffer.allocUnsafeSlow(count * BLOCK_BYTES);
    for (let at = 0; at < slab.length; at += BLOCK_BYTES) free.push(slab.subarray(at, at + BLOCK_BYTES));
    unmade -= count;
  };
  return {
    take() {
      if (free.length === 0 && unmade > 0) make();
      return free.pop();
    },
    give: (blocks) => void free.push(...blocks),
    state: () => ({
      bytes: (all - unmade - free.length) * BLOCK_BYTES,
      limitBytes: all * BLOCK_BYTES,
    }),
  };
};
