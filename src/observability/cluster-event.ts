import type { Regarding } from '../admission/index.ts';

/**
 * One write of an Event of events.k8s.io/v1 (k8s.io/api/events/v1). The API server lets nothing of an Event be changed
 * but its series, so a repeat is the same Event with a series:
 *
 * * without `series`: create it. That it exists already (409) is success: the name is this very Event's.
 * * with `series`: merge-patch `series` alone; where there is none (404: an Event lives for an hour), create it whole.
 *
 * Either is idempotent, and they may come in any order: the count of a series only grows.
 */
export interface ClusterEvent {
  /** A DNS subdomain, unique to this process and this aggregate. */
  readonly name: string;
  readonly namespace: string;
  /** Goes into the Event with `namespace` beside it. */
  readonly regarding: Regarding;
  /** The reason's code in the Event's spelling: `SignatureMissing`. */
  readonly reason: string;
  /** What became of the review. */
  readonly action: 'Audit' | 'Warn' | 'LetThrough';
  /** One line of at most 1024 bytes. */
  readonly note: string;
  readonly type: 'Normal' | 'Warning';
  /** Milliseconds since the epoch, of the first. */
  readonly eventTime: number;
  /** From the second on: how many there were, the first included, and when the last was (milliseconds). */
  readonly series?: { readonly count: number; readonly lastObservedTime: number };
  /** A qualified name, and one of at most 128 bytes. */
  readonly reportingController: string;
  readonly reportingInstance: string;
}
