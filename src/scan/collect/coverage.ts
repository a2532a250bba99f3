import { messageOf, oneLine } from '../../base/index.ts';
import { ClusterFault } from '../../kubernetes/index.ts';
import type { Coverage } from '../scan-result.ts';
import { nameOfResource, type Right, remedyFor } from './rights.ts';

/** Bounds the sentences on what was not seen, of which there can be one for each kind and namespace. */
const MAX_NOT_SEEN = 200;
const MAX_WHY_LENGTH = 500;

const FORBIDDEN = 403;
const UNAUTHORIZED = 401;

/** Records what was read of the cluster, and what was not. */
export interface CoverageRecorder {
  /** Adds objects that were read, and the requests that it took. */
  addRead(resource: string, objects: number, requests: number): void;
  addNotSeen(entry: Coverage['notSeen'][number]): void;
  /** Adds what an error kept from being seen; `right` is what the request takes. */
  addFault(right: Right, error: unknown): void;
  /** Adds a limit that cut the result short, one sentence. */
  addCut(sentence: string): void;
  result(): Coverage;
}

const remedyOf = (right: Right, error: unknown): string => {
  const status = error instanceof ClusterFault ? error.status : undefined;
  if (status === FORBIDDEN) return remedyFor(right);
  if (status === UNAUTHORIZED) return 'Log in to the cluster again, and repeat the scan';
  return 'Repeat the scan once the API server responds';
};

/** Creates a record of nothing yet. */
export const createCoverage = (): CoverageRecorder => {
  const resources = new Map<string, { objects: number; requests: number }>();
  const notSeen = new Map<string, Coverage['notSeen'][number]>();
  const cut = new Set<string>();
  let omitted = 0;
  const addNotSeen: CoverageRecorder['addNotSeen'] = (entry) => {
    const key = JSON.stringify([entry.resource, entry.why]);
    if (notSeen.has(key)) return;
    if (notSeen.size < MAX_NOT_SEEN) notSeen.set(key, entry);
    else omitted += 1;
  };
  return {
    addRead(resource, objects, requests) {
      const before = resources.get(resource) ?? { objects: 0, requests: 0 };
      resources.set(resource, {
        objects: before.objects + objects,
        requests: before.requests + requests,
      });
    },
    addNotSeen,
    addFault(right, error) {
      const resource = nameOfResource(right.group, right.resource);
      const why = oneLine(messageOf(error), MAX_WHY_LENGTH);
      addNotSeen({ resource, why, remedy: remedyOf(right, error) });
    },
    addCut: (sentence) => void cut.add(sentence),
    result: () => ({
      resources: [...resources].map(([resource, counts]) => ({ resource, ...counts })),
      notSeen: [...notSeen.values()],
      cut: [
        ...cut,
        ...(omitted === 0 ? [] : [`${omitted} more things that were not seen are counted and not listed.`]),
      ],
    }),
  };
};
