import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, type Io, UsageError } from '../command-line/command.ts';
import { inputName, printablePath, readInput, unreadableInput } from '../shared/input.ts';

/** One text of manifests. */
export interface Source {
  /** The path, `-` for standard input. */
  readonly path: string;
  /** Its name in messages. */
  readonly name: string;
  readonly text: string;
}

/** The files that kubectl takes from a directory. */
const MANIFEST = /\.(?:ya?ml|json)$/;

/** Follows symbolic links, as those of a mounted ConfigMap, but not to directories: they may form a cycle. */
const isFile = async (path: string): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
};

/** Lists the manifests in a directory, in the order of their names; with `recursive` also those in the directories below. */
const listDirectory = async (directory: string, recursive: boolean): Promise<readonly string[]> => {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadableInput(directory, error);
  });
  const files: string[] = [];
  for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) files.push(...(recursive ? await listDirectory(path, recursive) : []));
    else if (MANIFEST.test(entry.name) && (await isFile(path))) files.push(path);
  }
  return files;
};

const expand = async (path: string, recursive: boolean): Promise<readonly string[]> => {
  const found = path === '-' ? undefined : await stat(path).catch(() => undefined);
  if (found === undefined && /^https?:\/\//.test(path))
    throw new CommandError(
      `-f ${printablePath(path)} is a URL, which is not fetched: curl -fsSL URL | sailmark review -f -`,
    );
  if (found?.isDirectory() !== true) return [path];
  const files = await listDirectory(path, recursive);
  const where = recursive ? 'or below it' : '(-R reads the directories below it too)';
  if (files.length === 0)
    throw new CommandError(
      `${printablePath(path)} has no manifests: no file .yaml, .yml or .json is in it ${where}`,
    );
  return files;
};

/**
 * Reads the files, directories and standard input of `-f`, in the order given. Rejects with `CommandError`, or with
 * `UsageError` if standard input is named twice.
 */
export const readSources = async (
  paths: readonly string[],
  recursive: boolean,
  io: Io,
): Promise<readonly Source[]> => {
  if (paths.filter((path) => path === '-').length > 1)
    throw new UsageError('-f - is given more than once: standard input can be read once');
  const sources: Source[] = [];
  for (const path of paths)
    for (const file of await expand(path, recursive))
      sources.push({ path: file, name: inputName(file), text: await readInput(file, io) });
  return sources;
};
