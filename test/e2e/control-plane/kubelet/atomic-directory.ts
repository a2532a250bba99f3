import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** One file of a volume. */
export interface VolumeFile {
  readonly content: Buffer;
  readonly mode: number;
}

/** The owner of a volume's files; root if undefined. */
export interface Ownership {
  readonly user?: number;
  readonly group?: number;
}

const DATA = '..data';

/** Sets the owner of a file. In a user namespace with a single user that is impossible: the file stays ours. */
const setOwner = async (path: string, { user = -1, group = -1 }: Ownership): Promise<void> => {
  if (user === -1 && group === -1) return;
  await chown(path, user, group).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EINVAL') throw error;
  });
};

const currentOf = (directory: string): Promise<string | undefined> =>
  readlink(join(directory, DATA)).catch(() => undefined);

const isLink = async (path: string): Promise<boolean> => (await lstat(path)).isSymbolicLink();

/** Creates links for the names at the top that are new, and removes those of names that are gone. */
const linkNames = async (directory: string, names: ReadonlySet<string>): Promise<void> => {
  const present = (await readdir(directory)).filter((name) => !name.startsWith('..'));
  for (const name of present)
    if (!names.has(name) && (await isLink(join(directory, name)))) await rm(join(directory, name));
  for (const name of names)
    if (!present.includes(name)) await symlink(join(DATA, name), join(directory, name));
};

/**
 * Replaces the files of a volume as the kubelet's atomic writer does: all of them are written into a directory of their
 * own, `..data` is swapped to it by a rename, and the names at the top are links through `..data`. Through one opened
 * directory a reader sees either the old files or the new ones.
 */
export const replaceFiles = async (
  directory: string,
  files: ReadonlyMap<string, VolumeFile>,
  ownership: Ownership,
): Promise<void> => {
  const before = await currentOf(directory);
  const next = `..${new Date().toISOString().replaceAll(/[-:.TZ]/g, '_')}${randomBytes(4).toString('hex')}`;
  await mkdir(join(directory, next), { mode: 0o755 });
  for (const [path, { content, mode }] of files) {
    const target = join(directory, next, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, content);
    await chmod(target, mode);
    await setOwner(target, ownership);
  }
  // Left behind if an earlier attempt failed before its rename.
  await rm(join(directory, '..data_tmp'), { force: true });
  await symlink(next, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, DATA));
  await linkNames(directory, new Set([...files.keys()].map((path) => path.split('/')[0] ?? path)));
  if (before !== undefined) await rm(join(directory, before), { recursive: true, force: true });
};
