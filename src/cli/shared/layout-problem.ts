import { stat } from 'node:fs/promises';
import { join } from 'node:path';

const statOf = (path: string) => stat(path).catch(() => undefined);

const isAbsent = (path: string): Promise<boolean> =>
  stat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT' || error.code === 'ENOTDIR',
  );

/**
 * Returns why what is no directory, such as an archive of an image, is no image layout, with the remedy; undefined for a
 * directory, and for what cannot be examined.
 */
export const archiveProblem = async (path: string): Promise<string | undefined> => {
  if (await isAbsent(path)) return 'was not found';
  const found = await statOf(path);
  return found === undefined || found.isDirectory()
    ? undefined
    : 'is a file, and must be the directory of an OCI image layout; unpack an archive first: mkdir image && tar -xf ARCHIVE -C image';
};

/** Returns why a path that a user names is no image layout, with the remedy; undefined if it looks like one. */
export const layoutProblem = async (path: string): Promise<string | undefined> => {
  if ((await statOf(path)) === undefined) return 'there is no such directory';
  const problem = await archiveProblem(path);
  if (problem !== undefined) return problem;
  const index = await statOf(join(path, 'index.json'));
  return index === undefined ? 'is no OCI image layout: it has no index.json' : undefined;
};
