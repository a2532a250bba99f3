/** Texts that YAML takes as they are, in any place. */
const PLAIN = /^[a-z][a-z0-9./-]*$/;

/** Words that YAML readers take for something else than a text. */
const NOT_TEXT = /^(?:true|false|null|yes|no|on|off|y|n)$/;

const PRINTABLE = /^[\x20-\x7e]+$/;

/** Returns a text from the cluster as a YAML scalar; undefined if it is no printable ASCII: it would not be what it seems. */
export const yamlText = (text: string): string | undefined => {
  if (!PRINTABLE.test(text)) return undefined;
  return PLAIN.test(text) && !NOT_TEXT.test(text) ? text : JSON.stringify(text);
};
