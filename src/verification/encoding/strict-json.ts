/** No manifest or payload that signing tools write is as deep. */
const MAX_DEPTH = 64;

export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Returns the index after the string that begins at `start`. `JSON.parse` must have accepted the text. */
const endOfString = (text: string, start: number): number => {
  let quote = start;
  let escapes = 1;
  while (escapes % 2 === 1) {
    quote = text.indexOf('"', quote + 1);
    escapes = 0;
    while (quote - 1 - escapes > start && text[quote - 1 - escapes] === '\\') escapes += 1;
  }
  return quote + 1;
};

const isKey = (text: string, end: number): boolean => {
  const colon = /\s*:/y;
  colon.lastIndex = end;
  return colon.test(text);
};

const addKey = (keys: Set<string> | undefined, literal: string): string | undefined => {
  const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  if (keys?.has(key) === true) return `the key ${JSON.stringify(key.slice(0, 40))} occurs twice`;
  keys?.add(key);
  return undefined;
};

/** Finds a duplicate key, which parsers read differently, or nesting so deep that it attacks the parser. */
const findAmbiguity = (text: string): string | undefined => {
  const token = /["{}[\]]/g;
  const open: (Set<string> | undefined)[] = [];
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [mark] = found;
    if (mark === '"') {
      const end = endOfString(text, found.index);
      const problem = isKey(text, end) ? addKey(open.at(-1), text.slice(found.index, end)) : undefined;
      if (problem !== undefined) return problem;
      token.lastIndex = end;
    } else if (mark === '}' || mark === ']') open.pop();
    else if (open.push(mark === '{' ? new Set() : undefined) > MAX_DEPTH) return 'it is nested too deeply';
  }
  return undefined;
};

/**
 * Parses JSON (RFC 8259) that every parser reads alike: valid UTF-8, no byte order mark, no duplicate key in an object,
 * at most 64 levels. Never throws.
 */
export const parseStrictJson = (bytes: Uint8Array): StrictJson => {
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    const problem = findAmbiguity(text);
    return problem === undefined ? { ok: true, value } : { ok: false, problem };
  } catch {
    return { ok: false, problem: 'it is not JSON in UTF-8' };
  }
};
