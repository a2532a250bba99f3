/** The end of the JSON object or list that begins at `start`; undefined if it has none. */
const endOfValue = (text: string, start: number): number | undefined => {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
};

/**
 * Splits a stream of JSON objects and lists, one after the other or one a line (`kubectl -o json` of several commands, JSON
 * Lines). Returns undefined if the text is none. The values themselves are not checked.
 */
export const splitJsonStream = (text: string): readonly string[] | undefined => {
  const values: string[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at += 1;
    if (at === text.length) return values.length > 1 ? values : undefined;
    const end = text[at] === '{' || text[at] === '[' ? endOfValue(text, at) : undefined;
    if (end === undefined) return undefined;
    values.push(text.slice(at, end));
    at = end;
  }
};
