import { readFile as readBytes } from 'node:fs/promises';

/** The text of a file. Rejects where it cannot be read. */
export const readFile = (path: string): Promise<string> => readBytes(path, 'utf8');
