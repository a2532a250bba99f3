import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, parseDigest } from '../../image/index.ts';
import { invalidResponse, OversizedBody, SourceFault } from '../source.ts';

const blobsPath = (directory: string): string => join(directory, 'blobs', 'sha256');

/** Returns the path of a blob (OCI image-spec, image-layout.md, "Blobs"). A digest's grammar permits no path traversal. */
export const blobPath = (directory: string, digest: Digest): string =>
  join(blobsPath(directory), digest.slice('sha256:'.length));

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown }).code;

/** True if a file does not exist. */
export const isAbsence = (error: unknown): boolean =>
  codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** Creates the fault of evidence that the system cannot read, which is no verdict on the evidence. */
export const unreadableLayout = (directory: string, error: unknown): SourceFault => {
  const code = String(codeOf(error));
  const remedy = code === 'EACCES' ? '; make it readable for the user that sailmark runs as' : '';
  return new SourceFault('unavailable', `cannot read the evidence in ${directory}: ${code}${remedy}`, {
    asked: true,
    cause: error,
  });
};

/** Creates the fault of a layout whose content is malformed. */
export const invalidLayout = (directory: string, problem: string): SourceFault =>
  invalidResponse(`evidence in ${directory}: ${problem}`);

/** Without O_NONBLOCK, a pipe in the place of a file would block its reader for ever. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads at most `limit` bytes; undefined if the file is longer. */
const readWithin = async (file: FileHandle, limit: number): Promise<Buffer | undefined> => {
  const { size } = await file.stat();
  if (size > limit) return undefined;
  const bytes = Buffer.alloc(size + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length);
    length += bytesRead;
    // The file grew while it was read.
    if (length > size) return undefined;
    if (bytesRead === 0) return bytes.subarray(0, length);
  }
};

/** Reads a file of a layout of at most `limit` bytes; undefined if there is none. Rejects with a `SourceFault`. */
export const readLayoutFile = async (
  directory: string,
  path: string,
  limit: number,
): Promise<Uint8Array | undefined> => {
  let file: FileHandle | undefined;
  try {
    file = await open(path, OPEN_FLAGS);
    const bytes = await readWithin(file, limit);
    if (bytes === undefined)
      throw new OversizedBody(`evidence in ${directory}: a file is longer than ${limit} bytes`);
    return bytes;
  } catch (error) {
    if (error instanceof SourceFault) throw error;
    if (isAbsence(error)) return undefined;
    throw unreadableLayout(directory, error);
  } finally {
    await file?.close();
  }
};

/** Reads a blob and checks its digest; undefined if there is none. Rejects with a `SourceFault`. */
export const readLayoutBlob = async (
  directory: string,
  digest: Digest,
  limit: number,
): Promise<Uint8Array | undefined> => {
  const bytes = await readLayoutFile(directory, blobPath(directory, digest), limit);
  if (bytes !== undefined && digestOf(bytes) !== digest)
    throw invalidLayout(directory, `the digest of the blob ${digest} does not match its name`);
  return bytes;
};

/** Lists at most `max` blobs of a layout; none if they cannot be listed. */
export const listBlobs = async (directory: string, max: number): Promise<readonly Digest[]> => {
  const names = await readdir(blobsPath(directory)).catch((): readonly string[] => []);
  return names.flatMap((name) => parseDigest(`sha256:${name}`) ?? []).slice(0, max);
};
