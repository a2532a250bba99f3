/** Control and format characters (bidirectional overrides too), line and paragraph separators, lone surrogates. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** What nearly every text is; the class above costs more to look for than all the rest of a review. */
const PLAIN = /^[\x20-\x7e]*$/;

/** The text with what could break a line, or reorder it on a terminal, replaced by `?`. */
const printable = (text: string): string => (PLAIN.test(text) ? text : text.replaceAll(UNPRINTABLE, '?'));

/**
 * One printable line of at most `limit` UTF-16 units of a text that somebody else chose. What is too long keeps its
 * beginning and its end, since an image's end is its tag or digest. The length is bounded before anything else is
 * done, so a megabyte costs nothing.
 */
export const oneLine = (text: string, limit: number): string => {
  if (text.length <= limit) return printable(text);
  const tail = Math.floor((limit - 1) / 3);
  return printable(`${text.slice(0, limit - 1 - tail)}…${text.slice(text.length - tail)}`);
};

/** The same in double quotes, which the text itself cannot close; at most `limit` units with them. */
export const quoted = (text: string, limit: number): string =>
  `"${oneLine(text, limit - 2).replaceAll('"', "'")}"`;

/** The items that fit in `limit` units, separated by `separator`, then `+n more` where some do not. */
export const listWithin = (items: readonly string[], limit: number, separator = ', '): string => {
  const all = items.join(separator);
  if (all.length <= limit) return all;
  const room = limit - `${separator}+${items.length} more`.length;
  let fitting = 0;
  let length = -separator.length;
  for (const item of items) {
    length += separator.length + item.length;
    if (length > room) break;
    fitting += 1;
  }
  return [...items.slice(0, fitting), `+${items.length - fitting} more`].join(separator);
};
