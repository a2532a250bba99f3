import { Environment } from '@marcbachmann/cel-js';
import type { PodSpec } from './builders.ts';

/**
 * True if the API server would call a webhook with this match condition. Throws if the expression is invalid or
 * fails.
 */
export type Matches = (spec: PodSpec, before?: PodSpec, labels?: Labels, labelsBefore?: Labels) => boolean;

type Labels = Readonly<Record<string, string>>;

/** A match condition as the API server evaluates it: over `object` and `oldObject` of any type, to a boolean. */
export const compileCondition = (expression: string): Matches => {
  const environment = new Environment()
    .registerVariable('object', 'dyn')
    .registerVariable('oldObject', 'dyn');
  const evaluate = environment.parse(expression);
  const { valid, type, error } = evaluate.check();
  if (!valid || type !== 'bool') throw error ?? new Error(`a condition must be a boolean, and is ${type}`);
  const objectOf = (spec: PodSpec, labels?: Labels) => ({
    metadata: { name: 'web', ...(labels === undefined ? {} : { labels }) },
    spec,
  });
  return (spec, before, labels, labelsBefore = labels) =>
    evaluate({
      object: objectOf(spec, labels),
      oldObject: before === undefined ? null : objectOf(before, labelsBefore),
    }) as boolean;
};
