import { distance } from 'fastest-levenshtein';
import { UserError } from '../base/index.ts';

/** One problem of a configuration, with its place. */
export interface Problem {
  /** `mirrors[0].of`; empty: the file as a whole. */
  readonly path: string;
  /** Read after the path, says what is wrong and the remedy: `must be a list`. */
  readonly message: string;
}

/** Records a problem. */
export type Note = (path: string, message: string) => void;

const sentence = ({ path, message }: Problem): string => (path === '' ? message : `${path} ${message}`);

/** Thrown for an invalid configuration: every problem at once, in the order of their paths. */
export class ConfigError extends UserError {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(
      `the configuration cannot be used:\n${problems.map((problem) => `  ${sentence(problem)}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** Returns the path of a member: `a.b[0]["odd key"]`. */
export const pathTo = (parent: string, key: string | number): string => {
  if (typeof key === 'number') return `${parent}[${key}]`;
  if (!/^[\w-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === '' ? key : `${parent}.${key}`;
};

/** Returns the known name that a mistyped one most likely means, or undefined if none is close. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  const closest = known
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.edits - b.edits)[0];
  const maxEdits = Math.max(2, Math.floor(name.length / 3));
  return closest !== undefined && closest.edits <= maxEdits ? closest.candidate : undefined;
};

/** Returns `: did you mean x?`, or an empty text if no known name is close. */
export const suggestion = (name: string, known: readonly string[]): string => {
  const closest = nearest(name, known);
  return closest === undefined ? '' : `: did you mean ${closest}?`;
};
