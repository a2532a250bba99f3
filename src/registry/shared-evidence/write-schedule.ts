import { MINUTE_MS, SECOND_MS } from '../../base/index.ts';

export interface WriteTimes {
  /** Milliseconds for which additions are collected. */
  readonly delay: number;
  /** The shortest time between two writes, in milliseconds. */
  readonly interval: number;
}

/** 'absent': the object does not exist, so the next request waits for it. */
export type WriteOutcome = 'written' | 'conflict' | 'absent';

interface WriteScheduleOptions extends Partial<WriteTimes> {
  /** Writes what is pending. */
  readonly write: (signal: AbortSignal) => Promise<WriteOutcome>;
  readonly report: (error: unknown) => void;
}

export interface WriteSchedule {
  /** Asks for a write, soon. */
  request(): void;
  /** Performs the write that is asked for. Never rejects. */
  close(): Promise<void>;
}

const DELAY_MS = SECOND_MS;
const INTERVAL_MS = 5 * SECOND_MS;
const MAX_PAUSE_MS = MINUTE_MS;
const CONFLICT_PAUSE_MS = 500;
const FAILURES_TO_REPORT = 2;
/** The tries of the last write, which has no later one. */
const LAST_TRIES = 4;

/** Creates a schedule of writes: few, one at a time, repeated after a conflict or a fault. */
export const createWriteSchedule = (options: WriteScheduleOptions): WriteSchedule => {
  const { write, report, delay = DELAY_MS, interval = INTERVAL_MS } = options;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let wanted = false;
  let closed = false;
  let notBefore = 0;
  let failures = 0;

  const pauseFor = (milliseconds: number): void => void (notBefore = performance.now() + milliseconds);
  const attempt = async (): Promise<void> => {
    wanted = false;
    try {
      const outcome = await write(new AbortController().signal);
      failures = 0;
      wanted ||= outcome === 'conflict';
      // Replicas that met in a conflict must not meet again.
      pauseFor(outcome === 'conflict' ? CONFLICT_PAUSE_MS * Math.random() : interval);
    } catch (error) {
      failures += 1;
      wanted = true;
      if (failures === FAILURES_TO_REPORT) report(error);
      pauseFor(Math.min(MAX_PAUSE_MS, interval * 2 ** failures));
    }
  };
  const start = (): void => {
    if (closed || !wanted || timer !== undefined || writing !== undefined) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        writing = attempt().finally(() => {
          writing = undefined;
          start();
        });
      },
      Math.max(failures === 0 ? delay : 0, notBefore - performance.now()),
    ).unref();
  };

  /** False after a fault: the cluster does not respond, and the process must end. */
  const isWanted = (): boolean => wanted && failures === 0;

  return {
    request() {
      wanted = true;
      start();
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await writing;
      failures = 0;
      for (let tries = 0; isWanted() && tries < LAST_TRIES; tries += 1) await attempt();
    },
  };
};
