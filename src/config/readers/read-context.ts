import { type Note, pathTo } from '../problem.ts';
import type { ConfigurationFile } from '../schema/configuration-schema.ts';

/** Returns the text of a file; rejects if it cannot be read. */
export type ReadFile = (path: string) => Promise<string>;

/** The sound part of a value: a list or a single value as it is, an object without the members that have a problem. */
type Sound<Value> = Value extends readonly unknown[] ? Value : Value extends object ? Partial<Value> : Value;

/** A configuration file without the keys that have a problem. */
export type SoundFile = {
  readonly [Key in keyof ConfigurationFile]?: Sound<NonNullable<ConfigurationFile[Key]>>;
};

/** The top-level keys that one reader reads. */
export type FileKeys<Key extends keyof ConfigurationFile> = {
  readonly [Name in Key]: SoundFile[Name] | undefined;
};

/** One entry of a list of the file. */
export type Entry<Key extends 'keys' | 'mirrors' | 'registries' | 'revoked' | 'exemptions'> = NonNullable<
  ConfigurationFile[Key]
>[number];

/**
 * The rest of an object once every key that the schema allows in it is taken out. A reader takes its keys out by
 * destructuring, `const { url, sha256, ...unread } = item`, and states `unread satisfies AllRead`: so a key that is
 * added to the schema does not compile until a reader takes it.
 */
export type AllRead = { readonly [key: string]: never };

export interface ListItem<Item> {
  readonly item: Sound<Item>;
  /** `mirrors[0]`. */
  readonly path: string;
}

/** Shared by all readers. Every key can be read, whatever is wrong with another. */
export interface ReadContext {
  /** The entries of a list, each with its path, without those that have a problem as a whole. */
  readonly entries: <Item>(list: readonly Item[] | undefined, path: string) => readonly ListItem<Item>[];
  readonly note: Note;
  readonly readFile: ReadFile;
}

/** Returns the parts of a file that have no problem; `unsound` are the paths at which the schema found one. */
export const createReadContext = (
  parsed: Partial<ConfigurationFile>,
  unsound: readonly string[],
  note: Note,
  readFile: ReadFile,
): { readonly file: SoundFile; readonly context: ReadContext } => {
  const isSound = (path: string): boolean =>
    !unsound.some((bad) => bad === path || bad.startsWith(`${path}.`) || bad.startsWith(`${path}[`));
  const soundOf = <Value>(value: Value, path: string): Sound<Value> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as Sound<Value>;
    const members = Object.entries(value).filter(([key]) => isSound(pathTo(path, key)));
    return Object.fromEntries(members) as Sound<Value>;
  };
  const file = Object.fromEntries(
    Object.entries(parsed)
      .filter(([key]) => !unsound.includes(pathTo('', key)))
      .map(([key, value]) => [key, soundOf(value, key)]),
  ) as SoundFile;
  const entries: ReadContext['entries'] = (list, path) =>
    (list ?? [])
      .map((item, index) => ({ item: soundOf(item, pathTo(path, index)), path: pathTo(path, index) }))
      .filter((entry) => !unsound.includes(entry.path));
  return { file, context: { entries, note, readFile } };
};
