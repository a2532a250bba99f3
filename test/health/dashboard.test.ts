import { describe, expect, it } from 'vitest';
import { metricDefinitions } from '../../src/observability/index.ts';
import { dashboard, type Panel, queries, schemaProblems } from './dashboard.ts';

const { panels, templating } = dashboard;
const drawn = panels.filter(({ type }) => type !== 'row');

/** The units of the dashboard: ids of Grafana's. */
const UNITS = ['short', 'none', 's', 'percentunit', 'reqps', 'cps', 'bytes'];

const endsAfter = (one: Panel['gridPos'], other: Panel['gridPos']): boolean =>
  one.x < other.x + other.w &&
  other.x < one.x + one.w &&
  one.y < other.y + other.h &&
  other.y < one.y + one.h;

describe('the dashboard', () => {
  it('is decoded strictly by the types of Grafana’s schema, which refuse what is not in it', async () => {
    const changed = (change: object) => JSON.stringify({ ...dashboard, ...change });
    expect(await schemaProblems(changed({ panelz: [] }))).toContain('panelz');
    expect(await schemaProblems(changed({ title: 3 }))).toContain('title');
    expect(await schemaProblems()).toBe('');
  });

  it('draws panels that have a title, a description and a unit, each once and beside each other', () => {
    const of = (member: 'id' | 'title') => drawn.map((panel) => panel[member]);
    expect([new Set(of('id')).size, new Set(of('title')).size]).toEqual([drawn.length, drawn.length]);
    for (const { title, description = '', fieldConfig, gridPos } of drawn) {
      expect([title, description.length > 20, gridPos.x + gridPos.w <= 24]).toEqual([title, true, true]);
      expect([title, UNITS]).toEqual([title, expect.arrayContaining([fieldConfig?.defaults.unit])]);
    }
    const overlapping = panels.filter((one) =>
      panels.some((other) => other.id !== one.id && endsAfter(one.gridPos, other.gridPos)),
    );
    expect(overlapping).toEqual([]);
  });

  it('has thresholds that begin with a colour for all values, and rise', () => {
    for (const { title, fieldConfig } of drawn) {
      const values = fieldConfig?.defaults.thresholds.steps.map(({ value }) => value) ?? [];
      const [first, ...others] = values;
      expect([title, first, others]).toEqual([title, null, others.toSorted((a, b) => Number(a) - Number(b))]);
    }
  });

  it('reads the data source, the releases and the replicas that are chosen, and no others', () => {
    expect(templating.list.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'datasource datasource',
      'namespace query',
      'job query',
      'replica query',
    ]);
    for (const { title, datasource } of drawn)
      expect([title, datasource?.uid]).toEqual([title, '${datasource}']);
    for (const { title, expr } of queries)
      for (const [selector] of expr.matchAll(/(?:sailmark|process|nodejs)_\w+\{[^}]*\}/g))
        expect([title, selector]).toEqual([
          title,
          expect.stringContaining('namespace=~"$namespace", job=~"$job"'),
        ]);
  });

  it('shows every metric of sailmark, and none that does not exist', () => {
    const read = new Set(
      queries
        .flatMap(({ expr }) => expr.match(/sailmark_[a-z_]+/g) ?? [])
        .map((name) => name.replace(/_bucket$/, '')),
    );
    // The build is what the variables are made from; times of writes and runs are in the alerts; pins by source are in the log.
    const left = [
      'sailmark_build_info',
      'sailmark_canary_last_run_timestamp_seconds',
      'sailmark_evidence_last_write_timestamp_seconds',
      'sailmark_key_events_total',
      'sailmark_pinned_images_total',
    ];
    const sorted = (names: Iterable<string>) => [...names].toSorted((a, b) => (a < b ? -1 : 1));
    expect(sorted([...read, ...left])).toEqual(sorted(metricDefinitions.map(({ name }) => name)));
  });
});
