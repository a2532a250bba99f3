import type { ScanResult } from '../scan/index.ts';

/** Control, format and unassigned characters but the line breaks of the layout, and line and paragraph separators. */
const UNPRINTABLE = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu;

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Returns the document of a scan as it is. Characters that a terminal obeys or does not show, which JSON permits in a
 * text, are escaped: every parser returns the same text.
 */
export const toJson = (result: ScanResult): string =>
  `${JSON.stringify(result, null, 2).replaceAll(UNPRINTABLE, (character) => character.split('').map(escapeUnit).join(''))}\n`;
