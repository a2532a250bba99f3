import { CommandError } from '../command-line/command.ts';

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

const NAMES = { 'utf-8': 'UTF-8', 'utf-16le': 'UTF-16', 'utf-16be': 'UTF-16' } as const;

/** Detects the encoding by the byte order mark or the first character, which is ASCII (YAML 1.2.2, section 5.2). */
const encodingOf = ([first, second]: Uint8Array): Encoding => {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return 'utf-8';
};

/** Decodes a text in UTF-8 or UTF-16, as PowerShell's `>` writes it, without its byte order mark. Throws `CommandError`. */
export const decodeText = (bytes: Uint8Array, name: string): string => {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError(`${name}: not a text in ${NAMES[encoding]}; convert it to UTF-8`);
  }
};
