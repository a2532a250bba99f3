/** Texts that need no quotes, in any shell. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Characters that no quotes make safe to paste: a terminal acts on them, or shows another text than the shell reads. */
const UNSAFE = /[^\x20-\x7e]/;

const quoteWord = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/**
 * Quotes a text from the cluster as one word of a POSIX shell. Undefined if it cannot be pasted safely: a terminal takes a
 * control character as a key, and a word that begins with a dash is read as a flag.
 */
export const shellWord = (text: string): string | undefined =>
  text === '' || text.startsWith('-') || UNSAFE.test(text) ? undefined : quoteWord(text);

/**
 * Returns a command line of words of the program's own or its user's, and of texts from the cluster; undefined if one of
 * these cannot be pasted safely.
 */
export const shellCommand = (own: readonly string[], ...texts: readonly string[]): string | undefined => {
  const words = texts.map(shellWord);
  return words.every((word) => word !== undefined) ? [...own.map(quoteWord), ...words].join(' ') : undefined;
};
