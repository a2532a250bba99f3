import { isJsonObject, type JsonObject, memberOf, parseJson } from '../base/index.ts';

/*
 * The counts of the last scan, as the kept result holds them for the webhook, which exposes them as metrics: the scan's own pod
 * is gone before anybody could scrape it. Whoever may write that object can choose the numbers, and nothing else: labels
 * come from this file.
 */

/** The statuses that are counted: a closed set of label values. */
export const SCAN_STATUSES = ['refused', 'unknown', 'reported', 'exempt', 'verified'] as const;
type Status = (typeof SCAN_STATUSES)[number];

type ByStatus = Readonly<Record<Status, number>>;

export interface ScanCounts {
  readonly schema: typeof SCAN_COUNTS_SCHEMA;
  /** The time at which it ended, RFC 3339. */
  readonly endedAt: string;
  /** The time at which the last complete one ended; null: none was. */
  readonly lastCompleteAt: string | null;
  readonly complete: boolean;
  readonly durationSeconds: number;
  readonly images: ByStatus;
  readonly pods: ByStatus;
  readonly preflight: ByStatus;
  readonly ownersRefused: number;
  readonly driftedContainers: number;
  readonly driftUnknownContainers: number;
  /** Kinds of objects that the account could not read. */
  readonly notSeen: number;
}

export const SCAN_COUNTS_SCHEMA = 'sailmark.dev/scan-counts/v1';

/** Several times the length of what a scan writes. */
const MAX_LENGTH = 16 * 1024;

const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

const byStatus = (value: unknown): ByStatus | undefined => {
  const counts = SCAN_STATUSES.map((status) => [status, countOf(memberOf(value, status))] as const);
  return counts.some(([, count]) => count === undefined)
    ? undefined
    : (Object.fromEntries(counts) as Record<Status, number>);
};

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 40 && !Number.isNaN(Date.parse(value));

const NUMBERS = [
  'durationSeconds',
  'ownersRefused',
  'driftedContainers',
  'driftUnknownContainers',
  'notSeen',
] as const;

const parseNumbers = (from: JsonObject): Readonly<Record<(typeof NUMBERS)[number], number>> | undefined => {
  const numbers = NUMBERS.map((name) => [name, countOf(memberOf(from, name))] as const);
  return numbers.some(([, count]) => count === undefined)
    ? undefined
    : (Object.fromEntries(numbers) as Record<(typeof NUMBERS)[number], number>);
};

const parseGroups = (from: JsonObject): Pick<ScanCounts, 'images' | 'pods' | 'preflight'> | undefined => {
  const [images, pods, preflight] = ['images', 'pods', 'preflight'].map((name) =>
    byStatus(memberOf(from, name)),
  );
  return images === undefined || pods === undefined || preflight === undefined
    ? undefined
    : { images, pods, preflight };
};

/** Parses the counts of a kept result; undefined if they are malformed or of another version. */
export const parseScanCounts = (text: string): ScanCounts | undefined => {
  const from = text.length > MAX_LENGTH ? undefined : parseJson(text);
  if (!isJsonObject(from) || memberOf(from, 'schema') !== SCAN_COUNTS_SCHEMA) return undefined;
  const [endedAt, complete] = [memberOf(from, 'endedAt'), memberOf(from, 'complete')];
  const lastCompleteAt = memberOf(from, 'lastCompleteAt') ?? null;
  const numbers = parseNumbers(from);
  if (!isTime(endedAt) || !(lastCompleteAt === null || isTime(lastCompleteAt))) return undefined;
  const groups = parseGroups(from);
  if (typeof complete !== 'boolean' || numbers === undefined || groups === undefined) return undefined;
  return {
    schema: SCAN_COUNTS_SCHEMA,
    endedAt,
    lastCompleteAt,
    complete,
    ...numbers,
    ...groups,
  };
};
