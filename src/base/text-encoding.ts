export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/**
 * Detects the encoding of a text by its byte order mark, or by its first character, which is ASCII (YAML 1.2.2, section
 * 5.2). PowerShell's `>` writes UTF-16.
 */
export const encodingOf = ([first, second]: Uint8Array): TextEncoding => {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return 'utf-8';
};
