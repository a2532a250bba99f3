import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Bounds memory: many times the length of any configuration, credentials or authorities, in bytes. */
export const MAX_TEXT_FILE_BYTES = 8 * 1024 * 1024;

export interface ReadFileOptions {
  /** Reads a pipe too if the path names a descriptor that a shell opened, as in `--key <(…)`. */
  readonly fromShell?: boolean;
}

const DESCRIPTOR = /^\/(?:dev\/stdin|dev\/fd\/\d+|proc\/self\/fd\/\d+)$/;

/** Without O_NONBLOCK, a pipe that nobody writes to would block its reader for ever. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Rejects for a pipe, a device or a socket. A directory is left to the read, which fails with EISDIR. */
const requireRegular = async (file: FileHandle): Promise<void> => {
  const status = await file.stat();
  if (!status.isFile() && !status.isDirectory())
    throw new Error('it is a pipe, a device or a socket, not a regular file');
};

const readHandle = async (file: FileHandle, bytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  const stream = file.createReadStream({ end: bytes, autoClose: false });
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/**
 * Reads at most `bytes + 1` bytes of a file, so that a longer one is recognised. Links are followed. Rejects at once if it is
 * not a regular file.
 */
export const readFirstBytes = async (
  path: string,
  bytes: number,
  { fromShell = false }: ReadFileOptions = {},
): Promise<Buffer> => {
  const isDescriptor = fromShell && DESCRIPTOR.test(path);
  const file = await open(path, isDescriptor ? constants.O_RDONLY : OPEN_FLAGS);
  try {
    if (!isDescriptor) await requireRegular(file);
    return await readHandle(file, bytes);
  } finally {
    await file.close();
  }
};

/** Reads a regular file of at most `limit` bytes. Rejects if it is longer. */
export const readFileWithin = async (
  path: string,
  limit: number,
  options?: ReadFileOptions,
): Promise<Buffer> => {
  const content = await readFirstBytes(path, limit, options);
  if (content.length > limit) throw new Error(`it is longer than ${limit} bytes`);
  return content;
};

/** Reads a regular file of at most {@link MAX_TEXT_FILE_BYTES} as UTF-8. Rejects if it is longer. */
export const readTextFile = async (path: string, options?: ReadFileOptions): Promise<string> =>
  (await readFileWithin(path, MAX_TEXT_FILE_BYTES, options)).toString('utf8');
