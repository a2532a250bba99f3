import type { Regarding } from '../admission/index.ts';

/**
 * One write of an Event of events.k8s.io/v1 (k8s.io/api/events/v1). The API server allows no change to an Event but to
 * its series, so a repeat is the same Event with a series:
 *
 * * without `series`: create the Event. A 409 is success: only this Event has this name.
 * * with `series`: merge-patch `series` alone; on a 404 (an Event expires after an hour) create the whole Event.
 *
 * Both are idempotent and may arrive in any order: the count of a series only grows.
 */
export interface ClusterEvent {
  /** A DNS subdomain, unique to this process and aggregate. */
  readonly name: string;
  readonly namespace: string;
  /** The object that the Event is about, without its namespace. */
  readonly regarding: Regarding;
  /** The reason code in UpperCamelCase: `SignatureMissing`. */
  readonly reason: string;
  /** `LetThrough`: an outage rule allows the image. `Scan`: nothing was admitted; a scan found it. */
  readonly action: 'Audit' | 'Warn' | 'LetThrough' | 'Scan';
  /** One line of at most 1024 bytes. */
  readonly note: string;
  readonly type: 'Normal' | 'Warning';
  /** The time of the first occurrence, in milliseconds since the epoch. */
  readonly eventTime: number;
  /** From the second occurrence on: their number, including the first, and the time of the last in milliseconds. */
  readonly series?: { readonly count: number; readonly lastObservedTime: number };
  /** A qualified name. */
  readonly reportingController: string;
  /** At most 128 bytes. */
  readonly reportingInstance: string;
}
