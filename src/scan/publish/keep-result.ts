import { gunzipSync, gzipSync } from 'node:zlib';
import { ClusterFault, type KeptFiles, type KeptObject } from '../../kubernetes/index.ts';
import { parseScanCounts, SCAN_COUNTS_SCHEMA, type ScanCounts } from '../../observability/index.ts';
import type { ScanResult, ScanStatus } from '../scan-result.ts';
import { fitPage } from './fit-page.ts';
import { type FoundOwners, formatFoundOwners, parseFoundOwners } from './found-owners.ts';
import type { PublishDependencies, Published } from './publish-port.ts';

/** The keys of the ConfigMap. */
const KEYS = { counts: 'counts.json', page: 'scan.html.gz', owners: 'owners.json.gz' } as const;

/** A ConfigMap holds 1 MiB (MaxSecretSize, k8s.io/api/core/v1); the rest is for the counts and the owners. */
const MAX_PAGE_BYTES = 768 * 1024;
const MAX_OWNERS_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_TRIES = 3;

const byStatus = (counts: Readonly<Record<ScanStatus, number>>): Readonly<Record<ScanStatus, number>> => ({
  refused: counts.refused,
  unknown: counts.unknown,
  reported: counts.reported,
  exempt: counts.exempt,
  verified: counts.verified,
});

const countPreflight = ({ preflight }: ScanResult): Readonly<Record<ScanStatus, number>> => {
  const counts = { refused: 0, unknown: 0, reported: 0, exempt: 0, verified: 0 };
  for (const { status } of preflight) counts[status] += 1;
  return counts;
};

const countsOf = (result: ScanResult, previous: ScanCounts | undefined): ScanCounts => {
  const { summary, startedAt, durationMs, complete, coverage } = result;
  const endedAt = new Date(Date.parse(startedAt) + durationMs).toISOString();
  return {
    schema: SCAN_COUNTS_SCHEMA,
    endedAt,
    lastCompleteAt: complete ? endedAt : (previous?.lastCompleteAt ?? null),
    complete,
    durationSeconds: durationMs / 1000,
    images: byStatus(summary.images),
    pods: byStatus(summary.pods),
    preflight: countPreflight(result),
    ownersRefused: summary.ownersRefused,
    driftedContainers: summary.drifted,
    driftUnknownContainers: summary.driftUnknown,
    notSeen: coverage.notSeen.length,
  };
};

/** Returns the owners of a kept result; undefined if there are none, or not as a scan writes them. */
const ownersIn = ({ bytes }: KeptFiles): FoundOwners | undefined => {
  const packed = bytes[KEYS.owners];
  if (packed === undefined) return undefined;
  try {
    // The object could unpack to gigabytes: others may write it too.
    const text = gunzipSync(packed, { maxOutputLength: MAX_OWNERS_TEXT_BYTES }).toString('utf8');
    return parseFoundOwners(text);
  } catch {
    return undefined;
  }
};

/** Reads the owners that the last scan kept; undefined if it kept none. Rejects with a `ClusterFault`. */
export const readKeptOwners = async (
  object: KeptObject,
  signal: AbortSignal,
): Promise<FoundOwners | undefined> => {
  const kept = await object.read(signal);
  return kept && ownersIn(kept);
};

const failure = (problem: string): Published => ({ done: [], problems: [problem], failed: true });

/** Keeps a result in a ConfigMap that exists: its counts, its page as far as it fits, and the owners for the next scan. */
export const keepResult = async (
  object: KeptObject,
  result: ScanResult,
  owners: FoundOwners,
  { page, signal }: PublishDependencies,
): Promise<Published> => {
  const fitted = await fitPage(result, page, MAX_PAGE_BYTES);
  const bytes = { [KEYS.page]: fitted?.bytes ?? null, [KEYS.owners]: gzipSync(formatFoundOwners(owners)) };
  try {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const kept = await object.read(signal);
      if (kept === undefined)
        return failure(`${object.name} does not exist: install the chart again to have it`);
      const counts = countsOf(result, parseScanCounts(kept.texts[KEYS.counts] ?? ''));
      const texts = { [KEYS.counts]: JSON.stringify(counts) };
      if ((await object.change(kept.version, { texts, bytes }, signal)) === 'conflict') continue;
      return {
        failed: false,
        done: [`the result is kept in ${object.name}`],
        problems:
          fitted === undefined
            ? [`the page is too large for ${object.name}: only the counts are kept`]
            : fitted.left === undefined
              ? []
              : [`${fitted.left}: all of it does not fit into ${object.name}`],
      };
    }
    return failure(`${object.name} was changed by others each time that it was written`);
  } catch (error) {
    if (!(error instanceof ClusterFault)) throw error;
    return failure(`the result is not kept: ${error.message}`);
  }
};
