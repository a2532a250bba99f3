import { orAborted, type ReportError } from '../base/index.ts';
import type { ClusterEvent } from './cluster-event.ts';
import type { Metrics } from './metrics.ts';

/** Creates or updates one Event, as `ClusterEvent` says. */
export type WriteEvent = (event: ClusterEvent, signal: AbortSignal) => Promise<void>;

interface EventWriterDependencies {
  readonly write: WriteEvent;
  readonly now: () => number;
  readonly report: ReportError;
  readonly metrics: Pick<Metrics, 'countEvent'>;
  /** Milliseconds: what one write may take, what is left for all of them at the end, and between two reports. */
  readonly patience: number;
  readonly closing: number;
  readonly quiet: number;
}

export interface EventWriter {
  /** Whether it was written. Counts it, reports a failure at most once in `quiet`, never rejects. */
  send(event: ClusterEvent): Promise<boolean>;
  /** Waits for what is being written, at most `closing`, then gives it up. Never rejects. */
  close(): Promise<void>;
}

/** At most one report in `quiet` milliseconds. */
const createRateLimitedReport = (
  report: ReportError,
  quiet: number,
  now: () => number,
): ((error: unknown) => void) => {
  let last = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (now() - last < quiet) return;
    last = now();
    report(error);
  };
};

export const createEventWriter = (parts: EventWriterDependencies): EventWriter => {
  const { write, now, metrics, patience, closing, quiet } = parts;
  const report = createRateLimitedReport(parts.report, quiet, now);
  const end = new AbortController();
  const underWay = new Set<Promise<boolean>>();
  const attempt = async (event: ClusterEvent): Promise<boolean> => {
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(patience)]);
    try {
      // A write that misses its signal is not waited for.
      await orAborted(write(event, signal), signal, () => undefined);
      signal.throwIfAborted();
      metrics.countEvent('written');
      return true;
    } catch (error) {
      metrics.countEvent('failed');
      report(error);
      return false;
    }
  };
  const send: EventWriter['send'] = (event) => {
    const writing = attempt(event);
    underWay.add(writing);
    return writing.finally(() => underWay.delete(writing));
  };
  const close = async (): Promise<void> => {
    const clock = setTimeout(() => end.abort(new Error('the process ends')), closing);
    await Promise.all(underWay);
    clearTimeout(clock);
  };
  return { send, close };
};
