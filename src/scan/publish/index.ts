import { ClusterFault, type KeptObject } from '../../kubernetes/index.ts';
import type { ScanResult } from '../scan-result.ts';
import type { FoundOwners } from './found-owners.ts';
import { keepResult, readKeptOwners } from './keep-result.ts';
import type { PublishDependencies, Published } from './publish-port.ts';
import { writeEvents } from './write-events.ts';
import { writeReports } from './write-reports.ts';

export type { PublishDependencies, Published } from './publish-port.ts';

/** The objects that are written to the cluster. */
export interface PublishOptions {
  /** Reports on owners with a finding. */
  readonly reports: boolean;
  /** Events on owners whose answer has changed since the result that `keep` holds. */
  readonly events: boolean;
  /** The ConfigMap that keeps the result; undefined: none does. */
  readonly keep: { readonly namespace: string; readonly name: string } | undefined;
}

const NOTHING: Published = { done: [], problems: [], failed: false };

/** The result that the last scan left, or why it cannot be read. */
const readPrevious = async (
  object: KeptObject,
  signal: AbortSignal,
): Promise<{ readonly owners?: FoundOwners | undefined; readonly problem?: string }> => {
  try {
    return { owners: await readKeptOwners(object, signal) };
  } catch (error) {
    if (!(error instanceof ClusterFault)) throw error;
    return { problem: error.message };
  }
};

const keepAndTell = async (
  result: ScanResult,
  events: boolean,
  object: KeptObject,
  dependencies: PublishDependencies,
): Promise<readonly Published[]> => {
  const { owners, problem } = await readPrevious(object, dependencies.signal);
  if (problem !== undefined)
    return [{ done: [], problems: [`the result is not kept: ${problem}`], failed: true }];
  const told = await writeEvents(owners, result, events, dependencies);
  // Last: an Event that could not be written because the process ended is written by the next scan.
  return [told, await keepResult(object, result, told.next, dependencies)];
};

/** Writes a result to the cluster that was scanned. What fails is said and stops nothing else. */
export const publishScan = async (
  result: ScanResult,
  { reports, events, keep }: PublishOptions,
  dependencies: PublishDependencies,
): Promise<Published> => {
  const object = keep && dependencies.cluster.keptFiles(keep.namespace, keep.name);
  const parts = [
    reports ? await writeReports(result, dependencies) : NOTHING,
    ...(object === undefined ? [] : await keepAndTell(result, events, object, dependencies)),
  ];
  return {
    done: parts.flatMap(({ done }) => done),
    problems: parts.flatMap(({ problems }) => problems),
    failed: parts.some(({ failed }) => failed),
  };
};
