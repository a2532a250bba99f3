import { type Note, pathTo } from '../problem.ts';
import type { ConfigurationFile } from '../schema/configuration-schema.ts';

/** Returns the text of a file; rejects where it cannot be read. */
export type ReadFile = (path: string) => Promise<string>;

/** What of a value is sound: a list or a single value as it is, an object without its unsound members. */
type Sound<Value> = Value extends readonly unknown[] ? Value : Value extends object ? Partial<Value> : Value;

export interface ListItem<Item> {
  readonly item: Sound<Item>;
  /** `mirrors[0]`. */
  readonly path: string;
}

/** What the readers of the parts share. Every part can be read, whatever is wrong with another. */
export interface ReadContext {
  readonly part: <Key extends keyof ConfigurationFile>(key: Key) => Sound<ConfigurationFile[Key]> | undefined;
  readonly entries: <Item>(list: readonly Item[] | undefined, path: string) => readonly ListItem<Item>[];
  readonly note: Note;
  readonly readFile: ReadFile;
}

/** Gives out what the schema found no problem in; `unsound` are the paths of those that it did. */
export const createReadContext = (
  parsed: Partial<ConfigurationFile>,
  unsound: readonly string[],
  note: Note,
  readFile: ReadFile,
): ReadContext => {
  const isSound = (path: string): boolean =>
    !unsound.some((bad) => bad === path || bad.startsWith(`${path}.`) || bad.startsWith(`${path}[`));
  const soundOf = <Value>(value: Value, path: string): Sound<Value> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as Sound<Value>;
    const members = Object.entries(value).filter(([key]) => isSound(pathTo(path, key)));
    return Object.fromEntries(members) as Sound<Value>;
  };
  return {
    part: (key) => (unsound.includes(key) ? undefined : soundOf(parsed[key], key)),
    entries: (list, path) =>
      (list ?? [])
        .map((item, index) => ({ item: soundOf(item, pathTo(path, index)), path: pathTo(path, index) }))
        .filter((entry) => !unsound.includes(entry.path)),
    note,
    readFile,
  };
};
