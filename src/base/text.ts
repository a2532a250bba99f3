/** Control and format characters (bidirectional overrides too), line and paragraph separators, lone surrogates. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Printable ASCII, as nearly every text is: the class above costs more to match than the rest of a review. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Replaces each character that could break a line, or reorder it on a terminal, by `?`. */
const printable = (text: string): string => (PLAIN.test(text) ? text : text.replaceAll(UNPRINTABLE, '?'));

/**
 * Returns an untrusted text as one printable line of at most `limit` UTF-16 code units. A longer text keeps its beginning
 * and its end, because the end of an image reference is its tag or digest. The length is bounded first, so that a megabyte
 * of text costs nothing.
 */
export const oneLine = (text: string, limit: number): string => {
  if (text.length <= limit) return printable(text);
  const tail = Math.floor((limit - 1) / 3);
  return printable(`${text.slice(0, limit - 1 - tail)}…${text.slice(text.length - tail)}`);
};

/** Returns one printable line in double quotes, which the text cannot close; at most `limit` code units with the quotes. */
export const quoted = (text: string, limit: number): string =>
  `"${oneLine(text, limit - 2).replaceAll('"', "'")}"`;

/** Joins the items that fit in `limit` code units, then adds `+n more` if some do not fit. */
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
