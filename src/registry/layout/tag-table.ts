import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseDigest } from '../../image/index.ts';
import { isJsonObject, parseJson } from '../json.ts';
import { checkIsLayout, writeWhole } from './layout-writer.ts';

/** What a tag stood for when its registry last answered; undefined: it was not there. */
export interface TagAnswer {
  readonly digest: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The last answers of tags, kept in a file beside evidence so that they outlive the process. */
export interface TagTable {
  /** Reads the file. What is damaged or cannot be read is reported and counts as empty: it is a memory, not a rule. */
  load(): Promise<void>;
  last(repository: string, tag: string): TagAnswer | undefined;
  add(repository: string, tag: string, answer: TagAnswer): void;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

const FILE = 'sailmark-tags.json';
const SCHEMA = 'sailmark.dev/tags/v1';
/** Milliseconds: answers are written together. */
const TOGETHER = 1000;

const parseEntry = (value: unknown): readonly (readonly [string, TagAnswer])[] => {
  if (!isJsonObject(value)) return [];
  const { reference, digest: text, at } = value;
  const digest = typeof text === 'string' ? parseDigest(text) : undefined;
  const isWhole =
    typeof reference === 'string' && typeof at === 'number' && (text === null || digest !== undefined);
  return isWhole ? [[reference, { digest, at }]] : [];
};

const parseTable = (bytes: Uint8Array): readonly (readonly [string, TagAnswer])[] => {
  const table = parseJson(bytes);
  if (!isJsonObject(table) || table['schema'] !== SCHEMA || !Array.isArray(table['tags']))
    throw new Error(`${FILE} is no table of tags`);
  return table['tags'].flatMap(parseEntry);
};

/** The table in `directory`; the longest unanswered tags past `most` are forgotten. */
export const createTagTable = (
  directory: string,
  { most, report }: { readonly most: number; readonly report: (error: unknown) => void },
): TagTable => {
  const path = join(directory, FILE);
  const answers = new Map<string, TagAnswer>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    const tags = [...answers].map(([reference, { digest, at }]) => ({
      reference,
      digest: digest ?? null,
      at,
    }));
    try {
      // An answer may come before anything was verified, and then nothing has made the directory yet.
      await checkIsLayout(directory);
      await mkdir(directory, { recursive: true });
      await writeWhole(path, JSON.stringify({ schema: SCHEMA, tags }));
    } catch (error) {
      report(error);
    }
  };
  const save = (): Promise<void> => {
    timer = undefined;
    writing = writing.then(write);
    return writing;
  };
  const put = (name: string, answer: TagAnswer): void => {
    answers.delete(name);
    answers.set(name, answer);
    const [oldest] = answers.keys();
    if (answers.size > most && oldest !== undefined) answers.delete(oldest);
  };

  return {
    async load() {
      try {
        for (const [name, answer] of parseTable(await readFile(path))) put(name, answer);
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
