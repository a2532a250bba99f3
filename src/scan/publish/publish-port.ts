import type { Cluster } from '../../kubernetes/index.ts';
import type { ScanResult } from '../scan-result.ts';

/** The dependencies of publishing. */
export interface PublishDependencies {
  readonly cluster: Cluster;
  /** Returns the result as a page of HTML. */
  readonly page: (result: ScanResult) => Promise<string>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The name of this process's pod. */
  readonly instance: string;
  readonly signal: AbortSignal;
}

/** The outcome of one part of publishing, one sentence each. */
export interface Published {
  readonly done: readonly string[];
  /** Failures and omissions. */
  readonly problems: readonly string[];
  /** True if something that should have been written was not. */
  readonly failed: boolean;
}

/**
 * Returns true if the scan read everything it looks for. Only then does the absence of an owner in its result say that
 * nothing is found there: otherwise no report is removed and nothing counts as resolved.
 */
export const sawEverything = ({ complete, coverage }: Pick<ScanResult, 'complete' | 'coverage'>): boolean =>
  complete && coverage.notSeen.length === 0 && coverage.cut.length === 0;

/** Returns `1 report`, `2 reports`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Returns the first of many sentences, and the number of the others. */
export const firstOf = (sentences: readonly string[], limit: number): readonly string[] => [
  ...sentences.slice(0, limit),
  ...(sentences.length > limit ? [`${sentences.length - limit} more problems of this kind`] : []),
];
