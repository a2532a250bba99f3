import { distance } from 'fastest-levenshtein';
import { UserError } from '../base/index.ts';

/** One thing in a configuration that is not as it must be. */
export interface Problem {
  /** `mirrors[0].of`; empty: the file as a whole. */
  readonly path: string;
  /** What is wrong and what to do: `must be a list`. */
  readonly message: string;
}

/** Called for each problem that is found. */
export type Note = (path: string, message: string) => void;

const sentence = ({ path, message }: Problem): string => (path === '' ? message : `${path} ${message}`);

/** A configuration that cannot be used: every problem at once, in the order of their paths. */
export class ConfigError extends UserError {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(`the configuration cannot be used:\n${problems.map((one) => `  ${sentence(one)}`).join('\n')}`);
    this.problems = problems;
  }
}

/** `a.b[0]["odd key"]`. */
export const pathTo = (parent: string, key: string | number): string => {
  if (typeof key === 'number') return `${parent}[${key}]`;
  if (!/^[\w-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === '' ? key : `${parent}.${key}`;
};

/** The known name that a mistyped one most likely means, if one is near. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  const near = known
    .map((one) => ({ one, away: distance(name.toLowerCase(), one.toLowerCase()) }))
    .toSorted((a, b) => a.away - b.away)[0];
  return near !== undefined && near.away <= Math.max(2, Math.floor(name.length / 3)) ? near.one : undefined;
};

/** ` Did you mean x?`, or nothing. */
export const suggestion = (name: string, known: readonly string[]): string => {
  const near = nearest(name, known);
  return near === undefined ? '' : `: did you mean ${near}?`;
};
