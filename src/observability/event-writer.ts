import { orAborted, type ReportError } from '../base/index.ts';
import type { ClusterEvent } from './cluster-event.ts';
import type { Metrics } from './metrics/metrics.ts';

/** Creates or updates one Event, as described at `ClusterEvent`. */
export type WriteEvent = (event: ClusterEvent, signal: AbortSignal) => Promise<void>;

interface EventWriterDependencies {
  readonly write: WriteEvent;
  readonly now: () => number;
  readonly report: ReportError;
  readonly metrics: Pick<Metrics, 'countEvent'>;
  /** The timeout of one write. */
  readonly writeTimeoutMs: number;
  /** The timeout of all writes in flight once the writer is closed. */
  readonly closeTimeoutMs: number;
  /** The minimum time between two reports of a failure. */
  readonly reportIntervalMs: number;
}

export interface EventWriter {
  /** Writes an Event and resolves to true if it was written. Counts it, reports failures at a limited rate, never rejects. */
  send(event: ClusterEvent): Promise<boolean>;
  /** Waits for the writes in flight, at most `closeTimeoutMs`, then aborts them. Never rejects. */
  close(): Promise<void>;
}

/** Limits the rate of reports to one in `intervalMs`; the others are discarded. */
const createRateLimitedReport = (
  report: ReportError,
  intervalMs: number,
  now: () => number,
): ((error: unknown) => void) => {
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (now() - reportedAt < intervalMs) return;
    reportedAt = now();
    report(error);
  };
};

/** Creates a writer of Events with a timeout for each write. */
export const createEventWriter = (dependencies: EventWriterDependencies): EventWriter => {
  const { write, now, metrics, writeTimeoutMs, closeTimeoutMs, reportIntervalMs } = dependencies;
  const report = createRateLimitedReport(dependencies.report, reportIntervalMs, now);
  const closing = new AbortController();
  const inFlight = new Set<Promise<boolean>>();
  const attempt = async (event: ClusterEvent): Promise<boolean> => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(writeTimeoutMs)]);
    try {
      // A write that ignores its signal is not waited for.
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
    inFlight.add(writing);
    return writing.finally(() => inFlight.delete(writing));
  };
  const close = async (): Promise<void> => {
    const timer = setTimeout(() => closing.abort(new Error('the process ends')), closeTimeoutMs);
    await Promise.all(inFlight);
    clearTimeout(timer);
  };
  return { send, close };
};
