export type Unit = 'bytes' | 'milliseconds' | 'count';

/** One row of the limits table, here and in docs/limits.md. */
export interface Limit {
  readonly name: string;
  readonly default: number;
  readonly unit: Unit;
  readonly min: number;
  readonly max: number;
  /** The effect when the limit is reached. */
  readonly effect: string;
}

export const KIB = 1024;
export const MIB = 1024 * KIB;
