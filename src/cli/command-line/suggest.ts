import { distance } from 'fastest-levenshtein';

/** How far a mistyped name is from one that is meant: letters to change, or what is left to type of its beginning. */
const awayFrom = (text: string, name: string): number => (name.startsWith(text) ? 0 : distance(text, name));

/** ` Did you mean …?` for the nearest of the known names, or nothing where none is near. */
export const suggest = (text: string, known: readonly string[]): string => {
  const [near] = known
    .map((name) => ({ name, away: awayFrom(text, name) }))
    .toSorted((one, other) => one.away - other.away);
  return near !== undefined && near.away <= Math.max(2, Math.floor(text.length / 3))
    ? ` Did you mean ${near.name}?`
    : '';
};
