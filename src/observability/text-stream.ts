import type { DestinationStream } from 'pino';

/** Escapes control and format characters, so that no value breaks its line or moves the cursor. */
const printable = (text: string): string =>
  text.replaceAll(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return /^[^\s"=\p{C}]+$/u.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
};

const isShown = (value: unknown): boolean =>
  value !== '' && value !== undefined && !(Array.isArray(value) && value.length === 0);

/** Converts a JSON line of the log to text: `12:00:00.000 INFO  review verdict=deny …`, with a stack below it. */
const lineOf = (json: string): string => {
  const { time, level, msg, err, review, ...others } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const fields = Object.entries({ ...(review as object | undefined), ...others })
    .filter(([, value]) => isShown(value))
    .map(([name, value]) => `${name}=${textOf(value)}`);
  const stack = (err as { readonly stack?: string } | undefined)?.stack;
  const head = [String(time).slice(11, 23), String(level).toUpperCase().padEnd(5), String(msg), ...fields];
  return `${printable(head.join(' '))}\n${stack === undefined ? '' : `${stack.split('\n').map(printable).join('\n')}\n`}`;
};

/** Creates a stream that converts the log's JSON lines to text and writes them to another stream. */
export const createTextStream = (to: DestinationStream): DestinationStream => ({
  write: (json) => to.write(lineOf(json)),
});
