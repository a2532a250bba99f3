import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ReviewRecord } from '../admission/index.ts';
import { type ReportError } from '../base/index.ts';
import type { ClusterEvent } from './cluster-event.ts';
import { draftEvents, type EventDraft } from './event-draft.ts';
import { createEventWriter, type WriteEvent } from './event-writer.ts';
import type { Metrics } from './metrics.ts';
import { createTokenBucket } from './token-bucket.ts';

/** Tells the cluster, by Events, of what reviews found and admitted. */
export interface EventLog {
  /** Takes a review's findings. Never waits, never throws; where there are none it does nothing. */
  add(record: ReviewRecord): void;
  /** Writes the counts that are not written yet, for `closing` milliseconds at most, and ends. Never rejects. */
  close(): Promise<void>;
}

interface EventLogDependencies {
  readonly write: WriteEvent;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: ReportError;
  readonly metrics: Pick<Metrics, 'countEvent'>;
  /** Which process this is: the pod's name. */
  readonly instance: string;
  /** Instead of `LIMITS`. */
  readonly limits?: Partial<typeof LIMITS>;
}

/** Times in milliseconds. */
const LIMITS = {
  /** Repeats are counted for this long before they are written, all at once. */
  window: 5 * 60_000,
  /** Aggregates that are remembered; the one longest untouched goes first. */
  aggregates: 1000,
  /** Writes of one process, a flood of findings notwithstanding. */
  burst: 25,
  perSecond: 1,
  /** What one write may take, and what all of them may when the process ends. */
  patience: 10_000,
  closing: 2000,
  /** Failures are reported this often at most: an API server that is away must not fill the log. */
  quiet: 60_000,
};

const CONTROLLER = 'sailmark.dev/webhook';

/** Bytes of an instance, and room for the object's name in that of an Event (a DNS subdomain, 253). */
const MAX_INSTANCE_BYTES = 128;
const MAX_OBJECT_NAME_BYTES = 200;

/** All findings of one kind on one object, told as one Event. */
interface Aggregate {
  readonly key: string;
  readonly event: ClusterEvent;
  count: number;
  lastObservedTime: number;
  /** The count that was written last. */
  written: number;
  /** The count when the last window ended. */
  settled: number;
}

const SUBDOMAIN = /^[a-z0-9]+(?:(?:-+|\.)[a-z0-9]+)*/;

/** Names for Events, each another one: as much of the object's name as can be in it, then this process and a number. */
const createNames = (): ((of: string) => string) => {
  const process = randomBytes(5).toString('hex');
  let number = 0;
  return (of) => {
    const [readable = 'sailmark'] = SUBDOMAIN.exec(of.slice(0, MAX_OBJECT_NAME_BYTES)) ?? [];
    number += 1;
    return `${readable}.${process}-${number.toString(36)}`;
  };
};

const keyOf = ({ namespace, regarding, reason, action }: EventDraft): string =>
  [namespace, regarding.kind, regarding.name, regarding.uid, reason, action].join('\n');

const currentOf = ({ event, count, lastObservedTime }: Aggregate): ClusterEvent =>
  count === 1 ? event : { ...event, series: { count, lastObservedTime } };

/**
 * One Event for each object, reason and action: the first finding is written at once, repeats are counted and written
 * when a window ends, as the Event's series. After a window without a finding the Event is closed; the next is
 * another. A first one past the limit of rate is dropped, and counted; a count past it waits for the next window.
 */
export const createEventLog = (parts: EventLogDependencies): EventLog => {
  const { now, metrics, instance } = parts;
  const limits = { ...LIMITS, ...parts.limits };
  const writer = createEventWriter({ ...parts, ...limits });
  const bucket = createTokenBucket(limits, now);
  const nameOf = createNames();
  const aggregates = new LRUCache<string, Aggregate>({ max: limits.aggregates });
  let closed = false;

  const send = async (aggregate: Aggregate): Promise<void> => {
    const before = aggregate.written;
    aggregate.written = aggregate.count;
    if (!(await writer.send(currentOf(aggregate)))) aggregate.written = before;
  };

  const open = (key: string, draft: EventDraft): void => {
    if (!bucket.take()) return metrics.countEvent('dropped');
    const name = nameOf(draft.regarding.name);
    const reporting = {
      reportingController: CONTROLLER,
      reportingInstance: instance.slice(0, MAX_INSTANCE_BYTES),
    };
    const event = { name, ...draft, ...reporting };
    const aggregate = { key, event, count: 1, lastObservedTime: event.eventTime, written: 0, settled: 0 };
    aggregates.set(key, aggregate);
    void send(aggregate);
  };

  const take = (draft: EventDraft): void => {
    const key = keyOf(draft);
    const aggregate = aggregates.get(key);
    if (aggregate === undefined) return open(key, draft);
    aggregate.count += 1;
    aggregate.lastObservedTime = draft.eventTime;
  };

  const endWindow = (): void => {
    // A copy, the longest untouched first: what is deleted on the way must not lead the iteration astray.
    for (const aggregate of Array.from(aggregates.values()).toReversed()) {
      if (aggregate.count === aggregate.settled) aggregates.delete(aggregate.key);
      else if (aggregate.count === aggregate.written) aggregate.settled = aggregate.count;
      else if (bucket.take()) {
        aggregate.settled = aggregate.count;
        void send(aggregate);
      }
    }
  };
  const windows = setInterval(endWindow, limits.window).unref();

  return {
    add(record) {
      const { told } = record;
      if (told === undefined || closed) return;
      const { regarding, sentences } = told;
      if (regarding === undefined) for (const _ of sentences) metrics.countEvent('dropped');
      else for (const draft of draftEvents(record, told, regarding, now())) take(draft);
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
