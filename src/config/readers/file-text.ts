import { messageOf } from '../../base/index.ts';
import type { Note } from '../problem.ts';
import type { ReadFile } from './read-context.ts';

/** Returns the text of a file that the configuration names; notes it if the file cannot be read. */
export const readText = async (
  path: string,
  at: string,
  note: Note,
  readFile: ReadFile,
): Promise<string | undefined> => {
  try {
    return await readFile(path);
  } catch (error) {
    const isDirectory = (error as NodeJS.ErrnoException).code === 'EISDIR';
    note(
      at,
      isDirectory ? `${path} is a directory: name the file in it` : `cannot be read: ${messageOf(error)}`,
    );
    return undefined;
  }
};
