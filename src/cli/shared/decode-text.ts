import { encodingOf } from '../../base/index.ts';
import { CommandError } from '../command-line/command.ts';

const NAMES = { 'utf-8': 'UTF-8', 'utf-16le': 'UTF-16', 'utf-16be': 'UTF-16' } as const;

/** Decodes a text in UTF-8 or UTF-16, as PowerShell's `>` writes it, without its byte order mark. Throws `CommandError`. */
export const decodeText = (bytes: Uint8Array, name: string): string => {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError(`${name}: not a text in ${NAMES[encoding]}; convert it to UTF-8`);
  }
};
