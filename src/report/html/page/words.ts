import type { ScanStatus } from '../../../scan/index.ts';
import { el } from './dom.ts';

/** The statuses, the most serious first, and `other` for pods without an image of Istio's. */
export const STATUSES = ['refused', 'unknown', 'reported', 'exempt', 'verified'] as const;
export type Group = ScanStatus | 'other';

interface Word {
  readonly label: string;
  /** Tells statuses apart without colour. */
  readonly glyph: string;
}

export const WORDS: Readonly<Record<Group, Word>> = {
  refused: { label: 'would be refused', glyph: '✕' },
  unknown: { label: 'unknown', glyph: '?' },
  reported: { label: 'would be reported', glyph: '!' },
  exempt: { label: 'exempt', glyph: '○' },
  verified: { label: 'verified', glyph: '✓' },
  other: { label: 'no image of Istio’s', glyph: '·' },
};

const numbers = new Intl.NumberFormat('en-US');

export const number = (value: number): string => numbers.format(value);

/** `1 pod`, `2 pods`. */
export const count = (value: number, noun: string): string =>
  `${number(value)} ${noun}${value === 1 ? '' : 's'}`;

/** A status as a mark and a word. One that this page does not know is unknown. */
export const statusMark = (status: ScanStatus | Drifted, label: string = status): HTMLElement => {
  const group = status === 'drifted' ? 'refused' : status;
  const known = Object.hasOwn(WORDS, group) ? group : 'unknown';
  return el(
    'span',
    { class: `mark ${known}` },
    el('span', { class: 'glyph', 'aria-hidden': 'true' }, WORDS[known].glyph),
    label,
  );
};
type Drifted = 'drifted';

/** Orders texts as people do: `1.9` before `1.28`. */
export const compareText = new Intl.Collator('en', { numeric: true }).compare;

const DAY_MS = 86_400_000;

/** `2026-11-30 09:00 UTC` of an RFC 3339 time in UTC. */
export const timeOf = (rfc3339: string): string => `${rfc3339.slice(0, 16).replace('T', ' ')} UTC`;

/** `4.2 s`, `3 min 5 s`. */
export const durationOf = (milliseconds: number): string => {
  const seconds = milliseconds / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
};

/** Days from the one time to the other, both RFC 3339 days or times. */
export const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / DAY_MS;

/** `4 years 8 months`, `3 months`, `12 days`. */
export const spanOf = (days: number): string => {
  const whole = Math.floor(Math.abs(days));
  if (whole < 61) return count(whole, 'day');
  const months = Math.floor(whole / 30.44);
  if (months < 12) return count(months, 'month');
  const rest = months % 12;
  const years = count(Math.floor(months / 12), 'year');
  return rest === 0 ? years : `${years} ${count(rest, 'month')}`;
};
