import { ClusterFault, isTerminating } from '../../kubernetes/index.ts';
import { type ScanChange, scanEventOf } from '../../observability/index.ts';
import { rankOf } from '../../policy/index.ts';
import type { ScannedOwner, ScanResult } from '../scan-result.ts';
import { type FoundOwner, type FoundOwners, findChanges } from './found-owners.ts';
import { counted, firstOf, type PublishDependencies, type Published } from './publish-port.ts';
import { takeTurns } from './take-turns.ts';
import { createWriteQueue } from './write-queue.ts';

/** Events of one scan: they are stored in etcd for an hour, and read by people. */
const MAX_EVENTS = 100;
const MAX_SPELLED = 3;

const regardingOf = ({
  apiVersion,
  kind,
  name,
  uid,
}: FoundOwner | ScannedOwner): ScanChange['regarding'] => ({
  apiVersion,
  kind,
  name,
  ...(uid === null ? {} : { uid }),
});

const appearedChange = (owner: ScannedOwner): ScanChange => ({
  namespace: owner.namespace,
  regarding: regardingOf(owner),
  code:
    owner.findings.map(({ code }) => code).toSorted((a, b) => rankOf(a) - rankOf(b))[0] ?? 'internal-error',
  message: owner.message,
});

const resolvedChange = (owner: FoundOwner): ScanChange => ({
  namespace: owner.namespace,
  regarding: regardingOf(owner),
  code: undefined,
  message: `${owner.kind} ${owner.name}: its Istio images are verified`,
});

/** The owners for the next scan, and what became of the Events. */
interface EventsWritten extends Published {
  readonly next: FoundOwners;
}

/**
 * Writes one Event for each owner whose answer has changed since the last scan, however many pods it has; `write`: false
 * only compares. The first scan has nothing to compare with, and writes none. Rejects with no fault of the cluster.
 */
export const writeEvents = async (
  previous: FoundOwners | undefined,
  result: ScanResult,
  write: boolean,
  { cluster, now, instance, signal }: PublishDependencies,
): Promise<EventsWritten> => {
  const { appeared, resolved, next } = findChanges(previous, result);
  if (!write) return { next, done: [], problems: [], failed: false };
  const changes = [...appeared.map(appearedChange), ...resolved.map(resolvedChange)];
  const taken = takeTurns(changes, ({ code }) => (code === undefined ? 1 : 0), MAX_EVENTS);
  const eventTime = now();
  const queue = createWriteQueue();
  for (const change of taken)
    queue.add(change.namespace, async () => {
      try {
        await cluster.writeEvent(scanEventOf(change, { instance, eventTime }), signal);
        return 'written';
      } catch (error) {
        // Its namespace is gone, or is being deleted.
        if (isTerminating(error) || (error instanceof ClusterFault && error.status === 404)) return 'skipped';
        throw error;
      }
    });
  const { counts, failures, notTried } = await queue.run();
  const isFirst = previous === undefined;
  return {
    next,
    failed: failures.length > 0,
    done: [
      isFirst
        ? 'no Events: there is no earlier scan to compare with'
        : `${counted(counts.written, 'Event')} on owners whose answer has changed`,
    ],
    problems: [
      ...(previous?.isWhole === false
        ? ['no Events on owners that are new: the last scan found more than it could keep']
        : []),
      ...(taken.length < changes.length
        ? [`${counted(changes.length - taken.length, 'Event')} left out: a scan writes ${MAX_EVENTS} at most`]
        : []),
      ...firstOf(failures, MAX_SPELLED),
      ...(notTried > 0 ? [`${counted(notTried, 'Event')} not written after these failures`] : []),
    ],
  };
};
