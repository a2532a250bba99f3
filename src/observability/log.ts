import { type DestinationStream, destination, pino } from 'pino';
import { createTextStream } from './text-stream.ts';

/** Writes one line: facts first, then what happened. A member `err` is an Error. */
type Write = (facts: object, message: string) => void;

export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

/** What no line shows, wherever an error or a header list carries it. */
const SECRETS = [
  'authorization',
  'password',
  'token',
  'headers.authorization',
  'err.headers',
  'err.options',
  'err.cause.headers',
];

/** Bytes of lines that wait for a reader. Past it lines are dropped: a reader that stops must not stop reviews. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** Bytes of lines that are written together, as many as the stream takes, and milliseconds that a line waits at most. */
const BATCH_BYTES = 16 * 1024 - 1;
const FLUSH_INTERVAL_MS = 100;

/** The time as ISO 8601, written out once a millisecond: under load several lines share it. */
const createTimestamp = (): (() => string) => {
  let at = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
};

/**
 * A log of one JSON object a line, or one line of text for people at a terminal. `to` is a stream or a file descriptor.
 * To a descriptor it is written beside the event loop, several lines at once, and what is left at exit: in a
 * container it is a pipe, on which one synchronous write a line costs more than the review it tells of (50 µs to 5).
 */
export const createLog = (settings: {
  readonly level: string;
  readonly format: 'json' | 'text';
  readonly to: number | DestinationStream;
}): Log => {
  const { level, format, to } = settings;
  const stream =
    typeof to === 'number'
      ? destination({
          dest: to,
          sync: false,
          maxLength: MAX_BUFFERED_BYTES,
          minLength: BATCH_BYTES,
          periodicFlush: FLUSH_INTERVAL_MS,
        })
      : to;
  return pino(
    {
      level,
      base: null,
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS, remove: true },
    },
    format === 'text' ? createTextStream(stream) : stream,
  );
};
