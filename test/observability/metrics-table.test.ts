import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { metricDefinitions } from '../../src/observability/index.ts';
import { metricRow } from './metric-row.ts';

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `sailmark_'))
  .map((line) => line.slice(2, -2).split(' | '));

it('docs/metrics.md lists every metric with its type, unit, labels and meaning, and no other', () => {
  expect(rows.map((cells) => cells.slice(0, -1))).toEqual(metricDefinitions.map(metricRow));
});

it('docs/metrics.md says what to do about each metric', () => {
  for (const cells of rows)
    expect([cells[0], cells.length, cells.at(-1)]).toEqual([cells[0], 6, expect.stringMatching(/\w{3}/)]);
});

it('metrics are named as Prometheus names them: a unit, and _total for counters alone', () => {
  for (const { name, type } of metricDefinitions) {
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    expect([name, type !== 'histogram' || name.endsWith('_seconds')]).toEqual([name, true]);
  }
  expect(new Set(metricDefinitions.map(({ name }) => name)).size).toBe(metricDefinitions.length);
});
