import type { DestinationStream } from 'pino';

/** Whatever stands in a value, it stays on its line and moves no cursor. */
const printable = (text: string): string =>
  text.replaceAll(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return /^[^\s"=\p{C}]+$/u.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
};

const isShown = (value: unknown): boolean =>
  value !== '' && value !== undefined && !(Array.isArray(value) && value.length === 0);

/** One JSON line of the log as a line for people: `12:00:00.000 INFO review verdict=deny …`, a stack below it. */
const lineOf = (json: string): string => {
  const { time, level, msg, err, review, ...facts } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const said = Object.entries({ ...(review as object | undefined), ...facts })
    .filter(([, value]) => isShown(value))
    .map(([name, value]) => `${name}=${textOf(value)}`);
  const stack = (err as { readonly stack?: string } | undefined)?.stack;
  const head = [String(time).slice(11, 23), String(level).toUpperCase().padEnd(5), String(msg), ...said];
  return `${printable(head.join(' '))}\n${stack === undefined ? '' : `${stack.split('\n').map(printable).join('\n')}\n`}`;
};

/** A stream that takes the log's JSON lines and writes text to another. */
export const createTextStream = (to: DestinationStream): DestinationStream => ({
  write: (json) => to.write(lineOf(json)),
});
