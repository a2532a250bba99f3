import { oneLine } from '../../base/index.ts';
import type { Remedy } from '../scan-result.ts';

/** A remedy without what it settles. */
export type Draft = Pick<Remedy, 'title' | 'snippet' | 'language'>;

/** Characters of a text from the cluster in a title. */
const MAX_SUBJECT = 160;

/** Returns a text from the cluster as a part of a title. */
export const inTitle = (text: string): string => oneLine(text, MAX_SUBJECT);

/** Returns `1 image`, `2 images`. */
export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A draft with nothing to type. */
export const titleAlone = (title: string): Draft => ({ title, snippet: '', language: '' });

/** A draft with lines to type; without any it is a title alone. `head` are comments. */
export const withLines = (
  title: string,
  language: 'yaml' | 'shell',
  head: readonly string[],
  lines: readonly (string | undefined)[],
): Draft => {
  const safe = lines.filter((line) => line !== undefined);
  if (safe.length === 0) return titleAlone(title);
  return { title, snippet: `${[...head, ...safe].join('\n')}\n`, language };
};
