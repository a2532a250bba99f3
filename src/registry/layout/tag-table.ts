import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, parseJson, readFileWithin } from '../../base/index.ts';
import { parseDigest } from '../../image/index.ts';
import { withFileLock } from './file-lock.ts';
import { checkIsLayout, writeAtomically } from './layout-writer.ts';
import {
  createTagRows,
  datedResolution,
  laterResolution,
  type TagResolution,
  type TagRow,
  type TagRows,
} from './tag-rows.ts';

/**
 * The last resolutions of tags that once resolved to a verified digest, stored in a file beside evidence to outlive the
 * process. Replicas may share it. A resolution dated in the future has an unknown age: after a clock was set back, or by a
 * hand in the file, it would outlive every window and displace true ones.
 */
export interface TagTable {
  /** Reads the file. A malformed or unreadable file is reported and counts as empty: it is a cache. */
  load(): Promise<void>;
  last(repository: string, tag: string): TagResolution | undefined;
  /** Adds the resolution of a tag to a verified digest. */
  add(repository: string, tag: string, resolution: TagResolution): void;
  /** Replaces the resolution of a tag if the table has one: what was never verified takes no room. */
  update(repository: string, tag: string, resolution: TagResolution): void;
  /** Writes the pending resolutions. */
  close(): Promise<void>;
}

interface TagTableOptions {
  readonly maxTags: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

const FILE = 'sailmark-tags.json';
const SCHEMA = 'sailmark.dev/tags/v1';
/** Resolutions are collected and written together. */
const WRITE_DELAY_MS = 1000;
/** Updates of tags that only the file may have are collected up to this number for each write. */
const MAX_UPDATES = 1000;

const parseEntry = (value: unknown): readonly TagRow[] => {
  if (!isJsonObject(value)) return [];
  const { reference, digest: text, at } = value;
  const digest = typeof text === 'string' ? parseDigest(text) : undefined;
  const isValid =
    typeof reference === 'string' && typeof at === 'number' && (text === null || digest !== undefined);
  if (!isValid) return [];
  const colon = reference.lastIndexOf(':');
  return [
    {
      repository: reference.slice(0, Math.max(colon, 0)),
      tag: reference.slice(colon + 1),
      resolution: { digest, at },
    },
  ];
};

const parseTable = (bytes: Uint8Array): readonly TagRow[] => {
  const table = parseJson(bytes);
  if (!isJsonObject(table) || table['schema'] !== SCHEMA || !Array.isArray(table['tags']))
    throw new Error(`${FILE} is not a table of tags`);
  return table['tags'].flatMap(parseEntry);
};

/** Bounds memory: many times the length of a full table. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;

const readTable = async (path: string): Promise<readonly TagRow[]> =>
  parseTable(await readFileWithin(path, MAX_TABLE_BYTES));

/** Returns the stored rows, to be merged with: a malformed table is replaced. Undefined if there is none. */
const readStored = (path: string): Promise<readonly TagRow[] | undefined> =>
  readTable(path).catch((error: unknown) => (isAbsentFile(error) ? undefined : []));

const isAbsentFile = (error: unknown): boolean => (error as { readonly code?: unknown }).code === 'ENOENT';

const byTime = ({ resolution: left }: TagRow, { resolution: right }: TagRow): number => left.at - right.at;

/** Adds rows, the oldest first. Of two for one tag the later counts; at the same time, the later in the list. */
const addDated = (rows: TagRows, added: readonly TagRow[], now: number): void => {
  const dated = added.map((row) => ({ ...row, resolution: datedResolution(row.resolution, now) }));
  for (const { repository, tag, resolution } of dated.toSorted(byTime)) {
    const last = laterResolution(resolution, rows.get(repository, tag));
    if (last === resolution) rows.set(repository, tag, resolution);
  }
};

const formatTable = (rows: TagRows): string => {
  const tags = rows
    .rows()
    .toSorted(byTime)
    .map(({ repository, tag, resolution: { digest, at } }) => ({
      reference: `${repository}:${tag}`,
      digest: digest ?? null,
      at,
    }));
  return JSON.stringify({ schema: SCHEMA, tags });
};

/** A tag may be resolved before any evidence is stored; then the directory does not exist yet. */
const prepareDirectory = async (directory: string): Promise<void> => {
  await checkIsLayout(directory);
  await mkdir(directory, { recursive: true });
};

/**
 * Opens the table in `directory`. Past `maxTags`, the repository with the most tags loses its oldest resolution.
 */
export const createTagTable = (directory: string, { maxTags, now, report }: TagTableOptions): TagTable => {
  const path = join(directory, FILE);
  const own = createTagRows(maxTags);
  let updates: TagRow[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  /** Merges the resolutions with those that other replicas have written. */
  const writeMerged = async (): Promise<void> => {
    const stored = await readStored(path);
    const taken = updates.length;
    const merged = createTagRows(maxTags);
    addDated(merged, [...(stored ?? []), ...own.rows()], now());
    const isKnown = ({ repository, tag }: TagRow): boolean => merged.get(repository, tag) !== undefined;
    addDated(merged, updates.filter(isKnown), now());
    if (stored !== undefined || merged.rows().length > 0) await writeAtomically(path, formatTable(merged));
    updates = updates.slice(taken);
  };
  const write = async (): Promise<void> => {
    try {
      await prepareDirectory(directory);
      await withFileLock(directory, writeMerged);
    } catch (error) {
      report(error);
    }
  };
  const save = (): Promise<void> => {
    timer = undefined;
    writing = writing.then(write);
    return writing;
  };
  const saveLater = (): void => {
    timer ??= setTimeout(() => void save(), WRITE_DELAY_MS).unref();
  };

  return {
    async load() {
      try {
        addDated(own, await readTable(path), now());
      } catch (error) {
        if (!isAbsentFile(error)) report(error);
      }
    },
    last(repository, tag) {
      const resolution = own.get(repository, tag);
      return resolution && datedResolution(resolution, now());
    },
    add(repository, tag, resolution) {
      own.set(repository, tag, resolution);
      saveLater();
    },
    update(repository, tag, resolution) {
      if (own.get(repository, tag) !== undefined) own.set(repository, tag, resolution);
      else updates = [...updates, { repository, tag, resolution }].slice(-MAX_UPDATES);
      saveLater();
    },
    async close() {
      if (timer === undefined) return writing;
      clearTimeout(timer);
      return save();
    },
  };
};
