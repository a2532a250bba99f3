import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, parseJson } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { withFileLock } from './file-lock.ts';
import { checkIsLayout, writeAtomically } from './layout-writer.ts';

/** The last resolution of a tag by its registry. */
export interface TagResolution {
  /** Undefined: the tag did not exist. */
  readonly digest: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The last resolutions of tags, stored in a file beside evidence to outlive the process. Replicas may share it. A
 * resolution dated in the future is none: after a clock was set back, or by a hand in the file, it would outlive every
 * window and displace true ones.
 */
export interface TagTable {
  /** Reads the file. A malformed or unreadable file is reported and counts as empty: it is a cache. */
  load(): Promise<void>;
  last(repository: string, tag: string): TagResolution | undefined;
  add(repository: string, tag: string, resolution: TagResolution): void;
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

/** A reference by tag, and its resolution. */
type TagRow = readonly [string, TagResolution];

const parseEntry = (value: unknown): readonly TagRow[] => {
  if (!isJsonObject(value)) return [];
  const { reference, digest: text, at } = value;
  const digest = typeof text === 'string' ? parseDigest(text) : undefined;
  const isValid =
    typeof reference === 'string' && typeof at === 'number' && (text === null || digest !== undefined);
  return isValid ? [[reference, { digest, at }]] : [];
};

const parseTable = (bytes: Uint8Array): readonly TagRow[] => {
  const table = parseJson(bytes);
  if (!isJsonObject(table) || table['schema'] !== SCHEMA || !Array.isArray(table['tags']))
    throw new Error(`${FILE} is not a table of tags`);
  return table['tags'].flatMap(parseEntry);
};

const readTable = async (path: string): Promise<readonly TagRow[]> => parseTable(await readFile(path));

/** Returns the last resolution of each tag, the oldest first. Of two at the same time, the later in the list counts. */
const latestOf = (entries: readonly TagRow[]): readonly TagRow[] => {
  const byTime = entries.toSorted(([, left], [, right]) => left.at - right.at);
  const latest = new Map<string, TagResolution>();
  for (const [name, resolution] of byTime) {
    latest.delete(name);
    latest.set(name, resolution);
  }
  return [...latest];
};

/** Opens the table in `directory`. Past `maxTags`, the oldest resolutions are removed. */
export const createTagTable = (directory: string, { maxTags, now, report }: TagTableOptions): TagTable => {
  const path = join(directory, FILE);
  const resolutions = new Map<string, TagResolution>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const isPast = ([, { at }]: TagRow): boolean => at <= now();

  /** Merges the resolutions with those that other replicas have written. */
  const writeMerged = async (): Promise<void> => {
    const stored = await readTable(path).catch(() => []);
    const tags = latestOf([...stored, ...resolutions].filter(isPast))
      .slice(-maxTags)
      .map(([reference, { digest, at }]) => ({ reference, digest: digest ?? null, at }));
    await writeAtomically(path, JSON.stringify({ schema: SCHEMA, tags }));
  };
  const write = async (): Promise<void> => {
    try {
      // A tag may be resolved before any evidence is stored; then the directory does not exist yet.
      await checkIsLayout(directory);
      await mkdir(directory, { recursive: true });
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
  const put = (name: string, resolution: TagResolution): void => {
    resolutions.delete(name);
    resolutions.set(name, resolution);
    const [oldest] = resolutions.keys();
    if (resolutions.size > maxTags && oldest !== undefined) resolutions.delete(oldest);
  };

  return {
    async load() {
      try {
        for (const row of latestOf((await readTable(path)).filter(isPast))) put(...row);
      } catch (error) {
        if ((error as { readonly code?: unknown }).code !== 'ENOENT') report(error);
      }
    },
    last(repository, tag) {
      const name = `${repository}:${tag}`;
      const resolution = resolutions.get(name);
      return resolution !== undefined && isPast([name, resolution]) ? resolution : undefined;
    },
    add(repository, tag, resolution) {
      put(`${repository}:${tag}`, resolution);
      timer ??= setTimeout(() => void save(), WRITE_DELAY_MS).unref();
    },
    async close() {
      if (timer === undefined) return writing;
      clearTimeout(timer);
      return save();
    },
  };
};
