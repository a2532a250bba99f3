import { setTimeout as pause } from 'node:timers/promises';
import { MINUTE_MS, SECOND_MS } from '../../base/index.ts';
import type { SharedContent, SharedObject } from './shared-object.ts';

export interface FollowOptions {
  readonly object: SharedObject;
  /** Receives the content at first and after each change; undefined: the object does not exist. */
  readonly receive: (content: SharedContent | undefined) => void;
  readonly report: (error: unknown) => void;
  /** The second half of the sentence that reports an object that does not exist: `no evidence is shared there`. */
  readonly whenAbsent: string;
  readonly signal: AbortSignal;
}

const RECONNECT_PAUSE_MS = SECOND_MS;
/** The longest pause, and the interval at which an object that does not exist is looked for. */
const MAX_PAUSE_MS = MINUTE_MS;
/** One broken connection is no news: API servers restart. */
const FAILURES_TO_REPORT = 2;

const absent = ({ object, whenAbsent }: FollowOptions): Error =>
  new Error(`${object.name} does not exist: ${whenAbsent}`);

/** Reads an object and watches it until the connection ends. Returns false if it does not exist. */
const readAndWatch = async (
  { object, receive, signal }: FollowOptions,
  onRead: () => void,
): Promise<boolean> => {
  const content = await object.read(signal);
  receive(content);
  onRead();
  if (content === undefined) return false;
  for await (const next of object.watch(content.version, signal)) receive(next);
  return true;
};

const followForever = async (options: FollowOptions, onRead: () => void): Promise<void> => {
  const { report, signal } = options;
  let failures = 0;
  let reportedAbsent = false;
  while (!signal.aborted) {
    let delay = RECONNECT_PAUSE_MS;
    try {
      const exists = await readAndWatch(options, onRead);
      failures = 0;
      if (!exists && !reportedAbsent) report(absent(options));
      if (!exists) delay = MAX_PAUSE_MS;
      reportedAbsent = !exists;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures === FAILURES_TO_REPORT) report(error);
      delay = Math.min(MAX_PAUSE_MS, RECONNECT_PAUSE_MS * 2 ** failures);
      onRead();
    }
    await pause(delay, undefined, { signal, ref: false }).catch(() => undefined);
  }
};

/** Follows an object until the signal ends. Resolves after the first try to read it; never rejects. */
export const follow = (options: FollowOptions): Promise<void> =>
  new Promise((resolve) => void followForever(options, resolve));
