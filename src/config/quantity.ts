import type { Unit } from './limit.ts';

const DURATION_UNITS: readonly (readonly [name: string, milliseconds: number])[] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

const BYTE_UNITS: readonly (readonly [name: string, bytes: number])[] = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
];

/** The form of a value in each unit, for messages: `must be …`. */
export const examples: Readonly<Record<Unit, string>> = {
  milliseconds: 'a duration such as 500ms, 10s, 1m30s or 24h (0 is none)',
  bytes: 'a size such as 64KiB or 24MiB, or a whole number of bytes',
  count: 'a whole number',
};

const wholeNumber = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** Parses a duration of Go and Kubernetes (`1m30s`, whole numbers only) to milliseconds; undefined if it is not one. */
export const parseDuration = (value: unknown): number | undefined => {
  if (value === 0 || value === '0') return 0;
  const parts = typeof value === 'string' ? /^(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/.exec(value) : null;
  if (parts === null || parts[0] === '') return undefined;
  const total = DURATION_UNITS.reduce(
    (sum, [, milliseconds], index) => sum + Number.parseInt(parts[index + 1] ?? '0', 10) * milliseconds,
    0,
  );
  return Number.isSafeInteger(total) ? total : undefined;
};

/** Returns the shortest text that `parseDuration` parses to the same duration. */
export const formatDuration = (milliseconds: number): string => {
  let rest = milliseconds;
  let text = '';
  for (const [name, size] of DURATION_UNITS) {
    const amount = Math.floor(rest / size);
    if (amount > 0) text += `${amount}${name}`;
    rest -= amount * size;
  }
  return text === '' ? '0' : text;
};

const parseBytes = (value: unknown): number | undefined => {
  const match = typeof value === 'string' ? /^(\d{1,15})([KMG])iB?$/.exec(value) : null;
  if (match === null) return wholeNumber(value);
  const [, amount, prefix] = match;
  const [, size = 1] = BYTE_UNITS.find(([name]) => name.startsWith(prefix ?? '')) ?? [];
  return wholeNumber(Number(amount) * size);
};

const formatBytes = (bytes: number): string | number => {
  const [name, size] = BYTE_UNITS.find(([, unit]) => bytes >= unit && bytes % unit === 0) ?? ['', 1];
  return name === '' ? bytes : `${bytes / size}${name}`;
};

/** Parses a value of a configuration: bytes, milliseconds or a count; undefined if it is not one. */
export const parseQuantity = (value: unknown, unit: Unit): number | undefined => {
  if (unit === 'milliseconds') return parseDuration(value);
  return unit === 'bytes' ? parseBytes(value) : wholeNumber(value);
};

/** Formats a number in its unit as a configuration has it: `24MiB`, `1m30s`, `64`. */
export const formatQuantity = (value: number, unit: Unit): string | number => {
  if (unit === 'milliseconds') return formatDuration(value);
  return unit === 'bytes' ? formatBytes(value) : value;
};
