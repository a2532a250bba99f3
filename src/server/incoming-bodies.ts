import { BLOCK_BYTES, type BlockPool } from './block-pool.ts';

/** A body as far as it has been received. */
export interface IncomingBody {
  readonly length: number;
  /** Copies a chunk. While no block is free, incomplete bodies are given up, perhaps this one. */
  add(chunk: Buffer): void;
  /** No more is to come: the body is not given up any more. */
  complete(): void;
  /** Returns the body in one piece, which the next call for any body overwrites. */
  read(): Buffer;
  release(): void;
}

/** Opens a body; `drop` is called to give it up, and must release it. */
export type OpenBody = (drop: () => void) => IncomingBody;

const copyInto = (target: Buffer, blocks: readonly Buffer[], length: number): Buffer => {
  for (const [at, block] of blocks.entries()) block.copy(target, at * BLOCK_BYTES);
  return target.subarray(0, length);
};

/**
 * Receives bodies into the blocks of a pool: they take memory by what was received, not by what was announced, and however
 * small the pieces are. If the pool is used up, the body that has been incomplete for the longest is given up: whoever sends
 * slowly holds no room that others need. `longest` is the length of the longest body.
 */
export const createIncomingBodies = (pool: BlockPool, longest: number): OpenBody => {
  const incomplete = new Set<() => void>();
  let whole: Buffer | undefined;

  /** Gives up the oldest incomplete bodies until a block is free. Returns undefined if complete ones have them all. */
  const takeBlock = (): Buffer | undefined => {
    let block = pool.take();
    for (const dropOldest of incomplete) {
      if (block !== undefined) break;
      dropOldest();
      block = pool.take();
    }
    return block;
  };

  return (drop) => {
    const blocks: Buffer[] = [];
    let length = 0;
    incomplete.add(drop);

    /** Returns the block that the next byte goes to; undefined if this body was given up. */
    const openBlock = (): Buffer | undefined => {
      if (length < blocks.length * BLOCK_BYTES) return blocks.at(-1);
      const block = takeBlock();
      if (block !== undefined && incomplete.has(drop)) blocks.push(block);
      else if (block !== undefined) pool.give([block]);
      return blocks.at(-1);
    };

    return {
      get length() {
        return length;
      },
      add(chunk) {
        for (let copied = 0; copied < chunk.length; ) {
          const block = openBlock();
          if (block === undefined) return;
          const count = chunk.copy(block, length % BLOCK_BYTES, copied);
          copied += count;
          length += count;
        }
      },
      complete: () => void incomplete.delete(drop),
      read() {
        const [first] = blocks;
        if (first !== undefined && length <= BLOCK_BYTES) return first.subarray(0, length);
        whole ??= Buffer.allocUnsafeSlow(longest);
        return copyInto(whole, blocks, length);
      },
      release() {
        incomplete.delete(drop);
        pool.give(blocks.splice(0));
        length = 0;
      },
    };
  };
};
