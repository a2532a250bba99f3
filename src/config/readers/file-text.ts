import { messageOf } from '../../base/index.ts';
import type { Note } from '../problem.ts';
import type { ReadFile } from './read-context.ts';

/** The text of a file that a configuration names; that it cannot be read is noted, and undefined. */
export const readText = async (
  path: string,
  at: string,
  note: Note,
  readFile: ReadFile,
): Promise<string | undefined> => {
  try {
    return await readFile(path);
  } catch (error) {
    note(at, `cannot be read: ${messageOf(error)}`);
    return undefined;
  }
};
