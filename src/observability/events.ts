import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ReviewRecord } from '../admission/index.ts';
import { createTokenBucket, MINUTE_MS, type ReportError, SECOND_MS } from '../base/index.ts';
import type { ClusterEvent } from './cluster-event.ts';
import { draftEvents, type EventDraft } from './event-draft.ts';
import { createEventWriter, type WriteEvent } from './event-writer.ts';
import type { Metrics } from './metrics/metrics.ts';

/** Writes Events to the cluster on objects that were admitted in spite of findings. */
export interface EventLog {
  /** Adds the Events of a review, if it has any. Never waits, never throws. */
  add(record: ReviewRecord): void;
  /** Writes the counts that are not written yet, for at most `closeTimeoutMs`, and stops. Never rejects. */
  close(): Promise<void>;
}

interface EventLogDependencies {
  readonly write: WriteEvent;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: ReportError;
  readonly metrics: Pick<Metrics, 'countEvent'>;
  /** The name of this process's pod. */
  readonly instance: string;
  /** Overrides members of `LIMITS`. */
  readonly limits?: Partial<typeof LIMITS>;
}

const LIMITS = {
  /** Repeats are counted for this long before they are written, all at once. */
  windowMs: 5 * MINUTE_MS,
  /** Bounds memory; the aggregate least recently used is discarded first. */
  maxAggregates: 1000,
  /** The rate limit for the writes of this process, however many findings there are. */
  burst: 25,
  perSecond: 1,
  /** The timeout of one write, and of all writes in flight when the process ends. */
  writeTimeoutMs: 10 * SECOND_MS,
  closeTimeoutMs: 2 * SECOND_MS,
  /** The minimum time between two reports of a failure: an unavailable API server must not fill the log. */
  reportIntervalMs: MINUTE_MS,
};

const CONTROLLER = 'sailmark.dev/webhook';

/** The maximum length of `reportingInstance` (ValidateEvent, k8s.io/kubernetes). */
const MAX_INSTANCE_BYTES = 128;
/** Leaves room for the suffix: the name of an Event is a DNS subdomain of at most 253 bytes. */
const MAX_OBJECT_NAME_BYTES = 200;

/** The findings with one reason and action on one object, which are one Event. */
interface Aggregate {
  readonly key: string;
  readonly event: ClusterEvent;
  count: number;
  lastObservedTime: number;
  /** The count in the last write. */
  writtenCount: number;
  /** The count at the end of the last window. */
  windowCount: number;
}

const SUBDOMAIN = /^[a-z0-9]+(?:(?:-+|\.)[a-z0-9]+)*/;

/** Creates a generator of unique names for Events: a prefix of the object's name, an id of this process and a number. */
const createNames = (): ((objectName: string) => string) => {
  const process = randomBytes(5).toString('hex');
  let number = 0;
  return (objectName) => {
    const [prefix = 'sailmark'] = SUBDOMAIN.exec(objectName.slice(0, MAX_OBJECT_NAME_BYTES)) ?? [];
    number += 1;
    return `${prefix}.${process}-${number.toString(36)}`;
  };
};

const keyOf = ({ namespace, regarding, reason, action }: EventDraft): string =>
  [namespace, regarding.kind, regarding.name, regarding.uid, reason, action].join('\n');

const openAggregate = (key: string, event: ClusterEvent): Aggregate => ({
  key,
  event,
  count: 1,
  lastObservedTime: event.eventTime,
  writtenCount: 0,
  windowCount: 0,
});

const eventOf = ({ event, count, lastObservedTime }: Aggregate): ClusterEvent =>
  count === 1 ? event : { ...event, series: { count, lastObservedTime } };

/**
 * Creates a log with one Event for each object, reason and action. The first finding is written at once; repeats are
 * counted, and written as the Event's series when a window ends. After a window without a finding the next finding is a
 * new Event. A new Event past the rate limit is dropped and counted as `dropped`; a series waits for the next window.
 */
export const createEventLog = (dependencies: EventLogDependencies): EventLog => {
  const { now, metrics, instance } = dependencies;
  const reportingInstance = instance.slice(0, MAX_INSTANCE_BYTES);
  const limits = { ...LIMITS, ...dependencies.limits };
  const writer = createEventWriter({ ...dependencies, ...limits });
  const bucket = createTokenBucket(limits, now);
  const nameOf = createNames();
  const aggregates = new LRUCache<string, Aggregate>({ max: limits.maxAggregates });
  let closed = false;

  const send = async (aggregate: Aggregate): Promise<void> => {
    const previousCount = aggregate.writtenCount;
    aggregate.writtenCount = aggregate.count;
    if (!(await writer.send(eventOf(aggregate)))) aggregate.writtenCount = previousCount;
  };

  const open = (key: string, draft: EventDraft): void => {
    if (!bucket.take()) return metrics.countEvent('dropped');
    const name = nameOf(draft.regarding.name);
    const event = { name, ...draft, reportingController: CONTROLLER, reportingInstance };
    const aggregate = openAggregate(key, event);
    aggregates.set(key, aggregate);
    void send(aggregate);
  };

  const count = (draft: EventDraft): void => {
    const key = keyOf(draft);
    const aggregate = aggregates.get(key);
    if (aggregate === undefined) return open(key, draft);
    aggregate.count += 1;
    aggregate.lastObservedTime = draft.eventTime;
  };

  const endWindow = (): void => {
    // A copy, the least recently used first, because aggregates are deleted during the iteration.
    for (const aggregate of Array.from(aggregates.values()).toReversed()) {
      if (aggregate.count === aggregate.windowCount) aggregates.delete(aggregate.key);
      else if (aggregate.count === aggregate.writtenCount) aggregate.windowCount = aggregate.count;
      else if (bucket.take()) {
        aggregate.windowCount = aggregate.count;
        void send(aggregate);
      }
    }
  };
  const windows = setInterval(endWindow, limits.windowMs).unref();

  return {
    add(record) {
      const { told } = record;
      if (told === undefined || closed) return;
      const { regarding, sentences } = told;
      if (regarding === undefined) for (const _ of sentences) metrics.countEvent('dropped');
      else for (const draft of draftEvents(record, told, regarding, now())) count(draft);
    },
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(windows);
      endWindow();
      await writer.close();
    },
  };
};
