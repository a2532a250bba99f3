import type { JsonObject } from '../../base/index.ts';
import { type Cluster, ClusterFault, type ListOptions } from '../../kubernetes/index.ts';
import type { CollectProgress } from './collected.ts';
import type { CoverageRecorder } from './coverage.ts';
import { nameOfResource } from './rights.ts';

/** A collection to read. */
export interface ListTarget {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** Undefined: the whole cluster. */
  readonly namespace?: string | undefined;
}

export interface ListReaderOptions {
  readonly cluster: Pick<Cluster, 'list'>;
  readonly coverage: CoverageRecorder;
  readonly onProgress?: ((progress: CollectProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Yields the objects of a collection. Ends early where the API server forbids it or fails, which the coverage then says, and
 * when the signal ends. Never rejects.
 */
export type ReadList = (target: ListTarget, options?: ListOptions) => AsyncIterable<JsonObject>;

/** So many lists in a row without a response mean that the API server is gone: no further one is waited for. */
const MAX_SILENT = 2;

const isSilence = (error: unknown): boolean => error instanceof ClusterFault && error.status === undefined;

/** Creates the function that reads collections and records what it saw. */
export const createReadList = ({ cluster, coverage, onProgress, signal }: ListReaderOptions): ReadList => {
  let silent = 0;
  const done = new Map<string, number>();

  async function* readPages(target: ListTarget, options: ListOptions): AsyncIterable<JsonObject> {
    const { namespace, ...collection } = target;
    const resource = nameOfResource(target.group, target.plural);
    const place = namespace === undefined ? collection : { ...collection, namespace };
    for await (const { items, remaining, requests } of cluster.list(place, options, signal)) {
      silent = 0;
      coverage.addRead(resource, items.length, requests);
      const count = (done.get(resource) ?? 0) + items.length;
      done.set(resource, count);
      const total = remaining === undefined ? undefined : count + remaining;
      onProgress?.({ resource, done: count, total });
      yield* items;
    }
  }

  return async function* readList(target, options = {}) {
    const { group, plural, namespace } = target;
    if (silent >= MAX_SILENT) {
      const why = 'it was not read, because the API server had stopped responding';
      const remedy = 'Repeat the scan once the API server responds';
      coverage.addNotSeen({ resource: nameOfResource(group, plural), why, remedy });
      return;
    }
    try {
      yield* readPages(target, options);
    } catch (error) {
      if (signal.aborted) return;
      silent += isSilence(error) ? 1 : 0;
      coverage.addFault({ group, resource: plural, verb: 'list', namespace }, error);
    }
  };
};
