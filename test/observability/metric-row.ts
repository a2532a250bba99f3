import type { metricDefinitions } from '../../src/observability/index.ts';
import { reasonCodes } from '../../src/policy/index.ts';

type MetricDefinition = (typeof metricDefinitions)[number];

const UNITS: readonly (readonly [ending: RegExp, unit: string])[] = [
  [/_timestamp_seconds$/, 'Unix time'],
  [/_seconds$/, 'seconds'],
  [/_bytes$/, 'bytes'],
  [/_(?:info|up|active|success|ready|complete)$/, '0 or 1'],
];

const unitOf = (name: string): string => UNITS.find(([ending]) => ending.test(name))?.[1] ?? 'count';

const setOf = (values: readonly string[] | string): string => {
  if (typeof values === 'string') return values;
  if (values === reasonCodes) return 'the codes of [reasons.md](reasons.md)';
  return values.map((value) => `\`${value}\``).join(', ');
};

/** The cells of a metric in docs/metrics.md that the code decides: name, type, unit, labels with their sets, meaning. */
export const metricRow = ({ name, type, labels, help }: MetricDefinition): readonly string[] => [
  `\`${name}\``,
  type,
  unitOf(name),
  Object.entries(labels)
    .map(([label, values]) => `\`${label}\`: ${setOf(values)}`)
    .join('; ') || '–',
  help,
];
