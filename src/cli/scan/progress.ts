import { oneLine } from '../../base/index.ts';
import type { Flags, Io } from '../command-line/command.ts';
import { progressFlag } from '../shared/progress.ts';
import { isTerminal } from '../shared/terminal.ts';

/** The step that a scan is at. */
export interface ScanStep {
  /** `listing`, `verifying`: a verb, as the line shows it. */
  readonly stage: string;
  /** The things that `done` and `total` count: `pods`. */
  readonly resource: string;
  readonly done: number;
  /** Undefined: not known yet. */
  readonly total: number | undefined;
  /** Distinct images so far. */
  readonly images: number;
  /** The image that is verified now. */
  readonly current: string | undefined;
}

export interface ScanProgress {
  readonly show: (step: ScanStep) => void;
  /** Removes the line. */
  readonly clear: () => void;
}

const DEFAULT_COLUMNS = 80;
/** Milliseconds between two lines: faster than this nobody reads, and a scan takes thousands of steps a second. */
const INTERVAL = 100;

/** Returns the line of a step, at most `columns` long: `pods 1500 of 2000 · 42 images · 310/s · verifying docker.io/…`. */
export const stepLine = (step: ScanStep, perSecond: number | undefined, columns: number): string => {
  const { stage, resource, done, total, images, current } = step;
  const parts = [
    `${resource} ${done}${total === undefined ? '' : ` of ${total}`}`,
    `${images} image${images === 1 ? '' : 's'}`,
    ...(perSecond === undefined ? [] : [`${perSecond.toFixed(perSecond < 10 ? 1 : 0)}/s`]),
  ].join(' · ');
  const now = current === undefined ? stage : `${stage} ${current}`;
  const room = columns - parts.length - ' · '.length;
  // Too little of a name says nothing.
  return room < 12 ? oneLine(parts, columns) : `${parts} · ${oneLine(now, room)}`;
};

/**
 * Creates the line that shows what a scan does, on standard error. Writes nothing if that is no terminal, or with
 * `--no-progress`.
 */
export const createScanProgress = ({ stderr, env }: Io, flags: Flags, now: () => number): ScanProgress => {
  if (flags.has(progressFlag.name) || !isTerminal(stderr, env)) return { show: () => {}, clear: () => {} };
  let key = '';
  let first = { at: 0, done: 0 };
  let lastShown = Number.NEGATIVE_INFINITY;
  return {
    show: (step) => {
      const at = now();
      const nextKey = `${step.stage} ${step.resource}`;
      if (nextKey !== key) {
        key = nextKey;
        first = { at, done: step.done };
      } else if (at - lastShown < INTERVAL) return;
      lastShown = at;
      const seconds = (at - first.at) / 1_000;
      const perSecond = seconds < 0.5 ? undefined : (step.done - first.done) / seconds;
      // The last column is left free: some terminals move to the next line as soon as it is written.
      stderr.write(`\r\u001B[K${stepLine(step, perSecond, (stderr.columns ?? DEFAULT_COLUMNS) - 1)}`);
    },
    clear: () => {
      if (key !== '') stderr.write('\r\u001B[K');
      key = '';
    },
  };
};
