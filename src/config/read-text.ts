import type { Note } from './problem.ts';
import type { ReadFile } from './reading.ts';

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
    note(at, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
};
