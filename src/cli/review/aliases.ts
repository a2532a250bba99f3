import { CommandError } from '../command-line/command.ts';

/** The characters that all aliases of an input may add to it: nested aliases multiply, to gigabytes in a short text. */
const MAX_ALIAS_CHARACTERS = 1_000_000;
/** The levels of nested values. The parser permits as many in the text, but does not count those that aliases add. */
const MAX_DEPTH = 100;

interface Extent {
  /** Characters of keys and strings, and one for each value. */
  readonly characters: number;
  /** Levels of values below this one. */
  readonly depth: number;
}

const CYCLE = 'an alias refers to a value that contains it; write the value out';
const TOO_DEEP = `aliases nest values more than ${MAX_DEPTH} levels deep; write fewer aliases inside other values`;
const TOO_LONG = `aliases expand to more than ${MAX_ALIAS_CHARACTERS} characters; write the values out where the aliases are, or split the input`;

/** Measures a value with its aliases followed. Each object is measured once, however many aliases refer to it. */
const createMeasure = (fail: (problem: string) => Error): ((value: unknown) => Extent) => {
  const extents = new Map<object, Extent | 'open'>();
  const measure = (value: unknown, level: number): Extent => {
    if (typeof value === 'string') return { characters: 1 + value.length, depth: 0 };
    if (typeof value !== 'object' || value === null) return { characters: 1, depth: 0 };
    const known = extents.get(value);
    if (known === 'open') throw fail(CYCLE);
    if (known !== undefined) return known;
    // Bounds the recursion.
    if (level > MAX_DEPTH) throw fail(TOO_DEEP);
    extents.set(value, 'open');
    let [characters, depth] = [1, 0];
    for (const [key, member] of Object.entries(value)) {
      const extent = measure(member, level + 1);
      characters += extent.characters + (Array.isArray(value) ? 0 : key.length);
      depth = Math.max(depth, extent.depth + 1);
    }
    if (depth > MAX_DEPTH) throw fail(TOO_DEEP);
    extents.set(value, { characters, depth });
    return { characters, depth };
  };
  return (value) => measure(value, 0);
};

/**
 * Rejects aliases that would make whatever walks the documents walk without end. A document without aliases has at most
 * as many characters as its text. Throws `CommandError`, which names the document.
 */
export const checkAliases = (documents: readonly unknown[], text: string, name: string): void => {
  let rest = text.length + MAX_ALIAS_CHARACTERS;
  for (const [index, document] of documents.entries()) {
    const fail = (problem: string): Error => new CommandError(`${name}: document ${index + 1}: ${problem}`);
    rest -= createMeasure(fail)(document).characters;
    if (rest < 0) throw fail(TOO_LONG);
  }
};
