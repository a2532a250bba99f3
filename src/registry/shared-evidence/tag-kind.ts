import { createHash } from 'node:crypto';
import { isJsonObject, isKnownFormat, parseJson } from '../../base/index.ts';
import { parseDigest } from '../../image/index.ts';
import { datedResolution, type TagResolution } from '../layout/tag-rows.ts';
import type { Row, RowKind } from './rows.ts';

/** The last resolution of one tag. */
export interface SharedTag extends Row {
  readonly tag: string;
  readonly resolution: TagResolution;
}

/** A reference is longer than a key may be, and has other characters: keys are hashes. */
const KEY_LENGTH = 32;
const MAX_ROW_BYTES = 2048;

/** The key of a tag's row. */
export const tagKeyOf = (repository: string, tag: string): string =>
  createHash('sha256').update(`${repository}:${tag}`).digest('hex').slice(0, KEY_LENGTH);

export const tagRow = (repository: string, tag: string, resolution: TagResolution): SharedTag => {
  const { digest = null, at } = resolution;
  const text = JSON.stringify({ repository, tag, digest, at: new Date(at).toISOString() });
  return { key: tagKeyOf(repository, tag), text, repository, used: at, tag, resolution };
};

const parseTag = (key: string, text: string, now: number): SharedTag | undefined => {
  const row = text.length > MAX_ROW_BYTES ? undefined : parseJson(Buffer.from(text));
  if (!isJsonObject(row) || !isKnownFormat(row)) return undefined;
  const { repository, tag, digest: digestText, at } = row;
  if (typeof repository !== 'string' || typeof tag !== 'string' || tagKeyOf(repository, tag) !== key)
    return undefined;
  const time = typeof at === 'string' ? Date.parse(at) : Number.NaN;
  const digest = typeof digestText === 'string' ? parseDigest(digestText) : undefined;
  if (Number.isNaN(time) || (digest === undefined && digestText !== null)) return undefined;
  // A time in the future would keep the row for ever.
  return { key, text, repository, used: Math.min(time, now), tag, resolution: { digest, at: time } };
};

/**
 * Creates the kind of rows that hold tags. The later resolution counts; one dated in the future has an unknown age. A tag
 * that still stands for the same digest is written again once `refresh` milliseconds have passed, so that writes stay few.
 */
export const createTagKind = (refresh: number, now: () => number): RowKind<SharedTag> => ({
  parse: (key, text) => parseTag(key, text, now()),
  merge(stored, ours) {
    const theirs = datedResolution(stored.resolution, now());
    const own = ours.resolution;
    if (own.at <= theirs.at) return stored;
    return own.digest === theirs.digest && own.at - theirs.at < refresh ? stored : ours;
  },
});
