import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, parseJson } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { withFileLock } from './file-lock.ts';
import { checkIsLayout, writeAtomically } from './layout-writer.ts';

/** What a tag stood for when its registry last answered; undefined: it was not there. */
export interface TagResolution {
  readonly digest: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The last answers of tags, kept in a file beside evidence so that they outlive the process. Replicas may share it. */
export interface TagTable {
  /** Reads the file. What is damaged or cannot be read is reported and counts as empty: it is a memory, not a rule. */
  load(): Promise<void>;
  last(repository: string, tag: string): TagResolution | undefined;
  add(repository: string, tag: string, answer: TagResolution): void;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

const FILE = 'sailmark-tags.json';
const SCHEMA = 'sailmark.dev/tags/v1';
/** Milliseconds: answers are written together. */
const TOGETHER = 1000;

/** A reference by tag, and its answer. */
type TagRow = readonly [string, TagResolution];

const parseEntry = (value: unknown): readonly TagRow[] => {
  if (!isJsonObject(value)) return [];
  const { reference, digest: text, at } = value;
  const digest = typeof text === 'string' ? parseDigest(text) : undefined;
  const isWhole =
    typeof reference === 'string' && typeof at === 'number' && (text === null || digest !== undefined);
  return isWhole ? [[reference, { digest, at }]] : [];
};

const parseTable = (bytes: Uint8Array): readonly TagRow[] => {
  const table = parseJson(bytes);
  if (!isJsonObject(table) || table['schema'] !== SCHEMA || !Array.isArray(table['tags']))
    throw new Error(`${FILE} is no table of tags`);
  return table['tags'].flatMap(parseEntry);
};

const readTable = async (path: string): Promise<readonly TagRow[]> => parseTable(await readFile(path));

/** The last answer of each tag, the longest unanswered first. Of two at the same time, the later in the list counts. */
const latestOf = (entries: readonly TagRow[]): readonly TagRow[] => {
  const inTime = entries.toSorted(([, one], [, other]) => one.at - other.at);
  const latest = new Map<string, TagResolution>();
  for (const [name, answer] of inTime) {
    latest.delete(name);
    latest.set(name, answer);
  }
  return [...latest];
};

/** The table in `directory`; the longest unanswered tags past `most` are forgotten. */
export const createTagTable = (
  directory: string,
  { most, report }: { readonly most: number; readonly report: (error: unknown) => void },
): TagTable => {
  const path = join(directory, FILE);
  const answers = new Map<string, TagResolution>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  /** Together with what other replicas have written there. */
  const writeMerged = async (): Promise<void> => {
    const there = await readTable(path).catch(() => []);
    const tags = latestOf([...there, ...answers])
      .slice(-most)
      .map(([reference, { digest, at }]) => ({ reference, digest: digest ?? null, at }));
    await writeAtomically(path, JSON.stringify({ schema: SCHEMA, tags }));
  };
  const write = async (): Promise<void> => {
    try {
      // An answer may come before anything was verified, and then nothing has made the directory yet.
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
  const put = (name: string, answer: TagResolution): void => {
    answers.delete(name);
    answers.set(name, answer);
    const [oldest] = answers.keys();
    if (answers.size > most && oldest !== undefined) answers.delete(oldest);
  };

  return {
    async load() {
      try {
        for (const [name, answer] of await readTable(path)) put(name, answer);
      } catch (error) {
        if ((error as { readonly code?: unknown }).code !== 'ENOENT') report(error);
      }
    },
    last: (repository, tag) => answers.get(`${repository}:${tag}`),
    add(repository, tag, answer) {
      put(`${repository}:${tag}`, answer);
      timer ??= setTimeout(() => void save(), TOGETHER).unref();
    },
    async close() {
      if (timer === undefined) return writing;
      clearTimeout(timer);
      return save();
    },
  };
};
