import { DAY_MS, HOUR_MS, isJsonObject, isKnownFormat, parseJson } from '../../base/index.ts';
import { type Digest, digestOf, parseDigest } from '../../image/index.ts';
import type { EvidenceEntry } from '../layout/layout-writer.ts';
import type { Row, RowKind } from './rows.ts';

/** The evidence for one image. */
export interface EvidenceRow extends Row {
  readonly since: number;
  readonly entries: readonly EvidenceEntry[];
}

/** The largest evidence of one image: many times what cosign writes. */
const MAX_ROW_BYTES = 32 * 1024;
/** The time of the last use is written again after this time, so that writes stay few. */
const USED_REFRESH_MS = DAY_MS;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Returns bytes as text; undefined if they are not UTF-8, as JSON always is. */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
};

const serialise = ({ manifest, blobs, annotations }: EvidenceEntry): object | undefined => {
  const texts = [manifest.bytes, ...blobs].map(textOf);
  const [text, ...others] = texts;
  if (texts.includes(undefined)) return undefined;
  return { manifest: text, mediaType: manifest.mediaType, blobs: others, annotations };
};

const isText = (value: unknown): value is string => typeof value === 'string';

/** Returns a time in milliseconds since the epoch; undefined if there is none. */
const timeOf = (value: unknown): number | undefined => {
  const time = isText(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};

/** Digests are never read: they are computed from the bytes. */
const parseEntry = (value: unknown): EvidenceEntry | undefined => {
  if (!isJsonObject(value)) return undefined;
  const { manifest, mediaType, blobs, annotations } = value;
  if (!isText(manifest) || !Array.isArray(blobs) || !blobs.every(isText)) return undefined;
  if (mediaType !== undefined && !isText(mediaType)) return undefined;
  const bytes = Buffer.from(manifest);
  const texts = Object.entries(isJsonObject(annotations) ? annotations : {});
  return {
    manifest: { digest: digestOf(bytes), mediaType, bytes },
    blobs: blobs.map((text) => Buffer.from(text)),
    annotations: Object.fromEntries(texts.filter((entry): entry is [string, string] => isText(entry[1]))),
  };
};

/** The key of an image's row: a digest, without the colon that keys may not have. */
export const keyOf = (image: Digest): string => image.replace(':', '-');

const imageOf = (key: string): Digest | undefined => parseDigest(key.replace('-', ':'));

/**
 * Creates a row of the entries that fit; undefined if the first does not. What an image starts comes before its signatures,
 * which would prove less without it.
 */
export const evidenceRow = (
  key: string,
  { repository, used, since, entries }: Omit<EvidenceRow, 'key' | 'text'>,
): EvidenceRow | undefined => {
  const parts = new Map<string, EvidenceEntry>();
  let bytes = 0;
  for (const entry of entries) {
    const text = JSON.stringify(serialise(entry)) as string | undefined;
    if (text === undefined || parts.has(text)) continue;
    if (bytes + text.length > MAX_ROW_BYTES) {
      if (parts.size === 0) return undefined;
      continue;
    }
    bytes += text.length;
    parts.set(text, entry);
  }
  if (parts.size === 0) return undefined;
  const head = JSON.stringify({ repository, since: new Date(since), used: new Date(used) }).slice(0, -1);
  const text = `${head},"entries":[${[...parts.keys()].join(',')}]}`;
  return { key, text, repository, used, since, entries: [...parts.values()] };
};

/** Rounds down, so that equal uses have equal texts. */
const hourOf = (time: number): number => time - (time % HOUR_MS);

/** True if the time of the last use must be written again. */
export const isStale = ({ used }: EvidenceRow, now: number): boolean => now - used >= USED_REFRESH_MS;

/** Creates the kind of rows that hold evidence. `now`: milliseconds since the epoch. */
export const createEvidenceKind = (now: () => number): RowKind<EvidenceRow> => ({
  parse(key, text) {
    const row = text.length > 2 * MAX_ROW_BYTES ? undefined : parseJson(Buffer.from(text));
    if (!isJsonObject(row) || !isKnownFormat(row) || imageOf(key) === undefined) return undefined;
    const { repository, entries } = row;
    const [used, since] = [timeOf(row['used']), timeOf(row['since'])];
    if (!isText(repository) || !Array.isArray(entries)) return undefined;
    if (used === undefined || since === undefined) return undefined;
    const parsed = entries.map(parseEntry).filter((entry) => entry !== undefined);
    // A use in the future is none: it would keep the row for ever.
    return { key, text, repository, used: Math.min(used, now()), since, entries: parsed };
  },
  merge(stored, ours) {
    const isFresh = ours.used - stored.used < USED_REFRESH_MS;
    const used = isFresh ? stored.used : ours.used;
    const merged = evidenceRow(stored.key, {
      repository: stored.repository,
      since: stored.since,
      used,
      entries: [...stored.entries, ...ours.entries],
    });
    const isComplete = merged === undefined || merged.entries.length === stored.entries.length;
    return isFresh && isComplete ? stored : (merged ?? stored);
  },
});

/** The time of a use, as rows have it. */
export const usedAt = hourOf;
