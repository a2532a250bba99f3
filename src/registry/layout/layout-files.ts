import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, parseDigest } from '../../image/index.ts';
import { invalidResponse, SourceFault } from '../source.ts';

const blobsOf = (directory: string): string => join(directory, 'blobs', 'sha256');

/** The one place of a blob (OCI image-spec, image-layout.md, "Blobs"). A digest's grammar leaves no way out of it. */
export const blobPath = (directory: string, digest: Digest): string =>
  join(blobsOf(directory), digest.slice('sha256:'.length));

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown }).code;

export const isAbsence = (error: unknown): boolean =>
  codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** The fault of evidence that cannot be read for what the system says, which is no verdict on it. */
export const unreadableLayout = (directory: string, error: unknown): SourceFault => {
  const code = String(codeOf(error));
  const remedy = code === 'EACCES' ? ': let the user that this runs as read it' : '';
  return new SourceFault('unavailable', `evidence in ${directory} cannot be read: ${code}${remedy}`, {
    asked: true,
    cause: error,
  });
};

export const invalidLayout = (directory: string, what: string): SourceFault =>
  invalidResponse(`evidence in ${directory}: ${what}`);

/** A pipe in the place of a file would let its reader wait for ever: opened so, it does not. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads at most `limit` bytes; undefined: there are more. */
const readWithin = async (file: FileHandle, limit: number): Promise<Buffer | undefined> => {
  const { size } = await file.stat();
  if (size > limit) return undefined;
  const bytes = Buffer.alloc(size + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length);
    length += bytesRead;
    // A file that grows while it is read is not what its size said.
    if (length > size) return undefined;
    if (bytesRead === 0) return bytes.subarray(0, length);
  }
};

/** A file of a layout, of at most `limit` bytes; undefined where it is not there. Rejects with a `SourceFault`. */
export const readLayoutFile = async (
  directory: string,
  path: string,
  limit: number,
): Promise<Uint8Array | undefined> => {
  let file: FileHandle | undefined;
  try {
    file = await open(path, FLAGS);
    const bytes = await readWithin(file, limit);
    if (bytes === undefined) throw invalidLayout(directory, `a file is longer than ${limit} bytes`);
    return bytes;
  } catch (error) {
    if (error instanceof SourceFault) throw error;
    if (isAbsence(error)) return undefined;
    throw unreadableLayout(directory, error);
  } finally {
    await file?.close();
  }
};

/** A blob by its digest, hashed; undefined where it is not there. Rejects with a `SourceFault`. */
export const readLayoutBlob = async (
  directory: string,
  digest: Digest,
  limit: number,
): Promise<Uint8Array | undefined> => {
  const bytes = await readLayoutFile(directory, blobPath(directory, digest), limit);
  if (bytes !== undefined && digestOf(bytes) !== digest)
    throw invalidLayout(directory, `the blob of ${digest} is not what its name says`);
  return bytes;
};

/** The blobs that lie in a layout, at most so many; none where they cannot be listed. */
export const listBlobs = async (directory: string, most: number): Promise<readonly Digest[]> => {
  const names = await readdir(blobsOf(directory)).catch((): readonly string[] => []);
  return names.flatMap((name) => parseDigest(`sha256:${name}`) ?? []).slice(0, most);
};
