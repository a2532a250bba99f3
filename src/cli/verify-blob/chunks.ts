import { type FileHandle, open } from 'node:fs/promises';
import { messageOf } from '../../base/index.ts';
import { CommandError, type Io } from '../command-line/command.ts';
import { inputName } from '../shared/input.ts';

const CHUNK_BYTES = 2 ** 20;

export type Chunks = AsyncIterable<Uint8Array | string>;

/** Reads a file in chunks. They share one buffer: each is valid only until the next. */
async function* readChunks(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await handle.read(buffer);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Opens a file and runs `work` with its chunks and its size; the size is undefined for a pipe. */
const withFile = async <T>(path: string, work: (chunks: Chunks, size?: number) => Promise<T>): Promise<T> => {
  const handle = await open(path);
  try {
    const status = await handle.stat();
    return await work(readChunks(handle), status.isFile() ? status.size : undefined);
  } finally {
    await handle.close();
  }
};

/** Runs `work` with the chunks of a file, or of standard input for `-`. Rejects with `CommandError`. */
export const withChunks = async <T>(
  path: string,
  { stdin }: Io,
  work: (chunks: Chunks, size?: number) => Promise<T>,
): Promise<T> => {
  try {
    return await (path === '-' ? work(stdin) : withFile(path, work));
  } catch (error) {
    throw new CommandError(`cannot read ${inputName(path)}: ${messageOf(error)}`);
  }
};
