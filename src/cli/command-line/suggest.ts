import { distance } from 'fastest-levenshtein';

/** The edit distance (Levenshtein) of a mistyped name from a known one; 0 if it is a prefix of it. */
const distanceTo = (text: string, name: string): number => (name.startsWith(text) ? 0 : distance(text, name));

/** Returns ` Did you mean …?` for the nearest known name, or an empty string if none is near. */
export const suggest = (text: string, known: readonly string[]): string => {
  const [nearest] = known
    .map((name) => ({ name, edits: distanceTo(text, name) }))
    .toSorted((left, right) => left.edits - right.edits);
  return nearest !== undefined && nearest.edits <= Math.max(2, Math.floor(text.length / 3))
    ? ` Did you mean ${nearest.name}?`
    : '';
};
