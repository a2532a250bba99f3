import { defaultLimits, type Limit, type LimitName, type Limits, limitTable, type Unit } from '../limits.ts';
import type { Note } from '../problem.ts';
import { examples, formatQuantity, parseQuantity } from '../quantity.ts';
import type { ReadContext } from './read-context.ts';

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
}

const readWithin = (value: unknown, path: string, unit: Unit, bounds: Bounds, note: Note): number => {
  const { min, max, fallback } = bounds;
  if (value === undefined) return fallback;
  const quantity = parseQuantity(value, unit);
  if (quantity === undefined) note(path, `must be ${examples[unit]}`);
  else if (quantity < min || quantity > max)
    note(path, `must be from ${formatQuantity(min, unit)} to ${formatQuantity(max, unit)}`);
  return quantity ?? fallback;
};

/** Milliseconds of a duration, within bounds; a problem is noted. */
export const readDuration = (value: unknown, path: string, bounds: Bounds, note: Note): number =>
  readWithin(value, path, 'milliseconds', bounds, note);

const readLimit = (
  { name, unit, min, max, default: fallback }: Limit,
  given: Readonly<Partial<Record<string, string | number>>>,
  note: Note,
): number => readWithin(given[name], `limits.${name}`, unit, { min, max, fallback }, note);

/** Every limit, each as the file sets it or as the table has it. */
export const readLimits = ({ part, note }: ReadContext): Limits => {
  const given: Readonly<Partial<Record<LimitName, string | number>>> = part('limits') ?? {};
  const read = limitTable.map((limit) => [limit.name, readLimit(limit, given, note)]);
  return { ...defaultLimits, ...(Object.fromEntries(read) as Limits) };
};
