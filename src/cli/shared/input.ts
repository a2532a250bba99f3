import { CommandError, type Io } from './command.ts';
import { readFile } from './read-file.ts';

/** How what `-` stands for is named to people. */
export const nameOfInput = (path: string): string => (path === '-' ? 'standard input' : path);

/** The text of a file, or of standard input for `-`. Rejects with `CommandError`. */
export const readInput = async (path: string, { stdin }: Io): Promise<string> => {
  if (path !== '-')
    return readFile(path).catch((error: unknown) => {
      throw new CommandError(`${path} cannot be read: ${(error as Error).message}`);
    });
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
};
