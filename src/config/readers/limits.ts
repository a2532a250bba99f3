import type { Limit, Unit } from '../limit.ts';
import { defaultLimits, type LimitName, type Limits, limitTable } from '../limits.ts';
import type { Note } from '../problem.ts';
import { examples, formatQuantity, parseQuantity } from '../quantity.ts';
import type { ReadContext, SoundFile } from './read-context.ts';

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** The value if the file sets none. */
  readonly fallback: number;
}

const readQuantity = (value: unknown, path: string, unit: Unit, bounds: Bounds, note: Note): number => {
  const { min, max, fallback } = bounds;
  if (value === undefined) return fallback;
  const quantity = parseQuantity(value, unit);
  if (quantity === undefined) note(path, `must be ${examples[unit]}`);
  else if (quantity < min || quantity > max)
    note(path, `must be from ${formatQuantity(min, unit)} to ${formatQuantity(max, unit)}`);
  return quantity ?? fallback;
};

/** Reads a duration within bounds, in milliseconds; notes a problem. */
export const readDuration = (value: unknown, path: string, bounds: Bounds, note: Note): number =>
  readQuantity(value, path, 'milliseconds', bounds, note);

type LimitKey = keyof NonNullable<SoundFile['limits']>;

/** Only the rows of the table are read: `never` for any other key of the schema, which then does not compile. */
type LimitValues = { readonly [Key in LimitKey]?: Key extends LimitName ? string | number : never };

const readLimit = (
  { name, unit, min, max, default: fallback }: Limit & { readonly name: LimitName },
  values: LimitValues,
  note: Note,
): number => readQuantity(values[name], `limits.${name}`, unit, { min, max, fallback }, note);

/** Reads every limit of the table: the file's value, or the default. */
export const readLimits = (file: SoundFile['limits'], { note }: ReadContext): Limits => {
  const values: LimitValues = file ?? {};
  const read = limitTable.map((limit) => [limit.name, readLimit(limit, values, note)]);
  return { ...defaultLimits, ...(Object.fromEntries(read) as Limits) };
};
