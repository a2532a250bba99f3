import { readFile } from './read-file.ts';

/** What was to be read is not there or not what it should be: one sentence that says where. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The text of a file, or of standard input for `-`. Rejects with `InputError`. */
export const readInput = async (path: string, stdin: AsyncIterable<Uint8Array | string>): Promise<string> => {
  if (path !== '-')
    return readFile(path).catch((error: unknown) => {
      throw new InputError(`${path} cannot be read: ${(error as Error).message}`);
    });
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
};
