import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { metricDefinitions } from '../../src/observability/index.ts';
import { type AlertCase, alertCases } from './alert-cases.ts';
import { promtool } from './programs.ts';
import { type AlertRule, fill, RULES_FILE, readRules } from './rules.ts';

const rules = readRules();
const names = rules.map(({ alert }) => alert).toSorted();
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

const expectedOf = ({ fires }: AlertCase, { labels, annotations }: AlertRule): readonly object[] => {
  if (fires === undefined) return [];
  const { summary, description, runbook: page } = annotations;
  return [
    {
      exp_labels: { ...labels, ...fires.labels },
      exp_annotations: { summary, description: fill(description, fires.labels, fires.value), runbook: page },
    },
  ];
};

const stepOf = ({ step = 1 }: AlertCase): number => step;

const ruleOf = ({ alert }: AlertCase): AlertRule => {
  const rule = rules.find((each) => each.alert === alert);
  if (rule === undefined) throw new Error(`there is no rule ${alert}`);
  return rule;
};

/** A unit test in the form of promtool. */
const unitTestOf = (case_: AlertCase): object => ({
  name: `${case_.alert}: ${case_.about}`,
  interval: `${stepOf(case_)}m`,
  input_series: case_.series.map(([series, values]) => ({ series, values })),
  alert_rule_test: [
    { eval_time: `${case_.at}m`, alertname: case_.alert, exp_alerts: expectedOf(case_, ruleOf(case_)) },
  ],
});

describe('the alert rules', () => {
  it('are refused by promtool where one is wrong: the check can fail', async () => {
    const wrong = 'groups: [{name: a, rules: [{alert: A, expr: "sum(("}]}]';
    const directory = await mkdtemp(join(tmpdir(), 'sailmark-rules-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, 'rules.yaml'), wrong);
    expect((await promtool(['check', 'rules', join(directory, 'rules.yaml')])).code).not.toBe(0);
  });

  it('are accepted by promtool as they are', async () => {
    const { code, output } = await promtool(['check', 'rules', '--lint=all', '--lint-fatal', RULES_FILE]);
    expect([code, output]).toEqual([0, expect.stringContaining(`SUCCESS: ${rules.length} rules found`)]);
  });

  it('each have a paragraph in docs/runbook.md, and no other has one', () => {
    const headings = [...runbook.matchAll(/^### (Sailmark\w+)\n\n\S/gm)].map(([, name = '']) => name);
    expect(headings.toSorted()).toEqual(names);
    for (const { alert, annotations } of rules)
      expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });

  it('each have a unit test that fires and one that does not', () => {
    const alertsOf = (does: boolean) => [
      ...new Set(alertCases.filter(({ fires }) => (fires !== undefined) === does).map(({ alert }) => alert)),
    ];
    expect(alertsOf(true).toSorted()).toEqual(names);
    expect(alertsOf(false).toSorted()).toEqual(names);
  });

  it('read metrics that there are', () => {
    const known = metricDefinitions.map(({ name }) => name);
    const read = rules.flatMap(({ expr }) => expr.match(/sailmark_[a-z_]+/g) ?? []);
    expect(
      read.map((name) => name.replace(/_(?:bucket|count)$/, '')).filter((name) => !known.includes(name)),
    ).toEqual([]);
  });

  it('have the thresholds that docs/runbook.md lists, and no other', () => {
    const inRules = rules.flatMap(({ alert, expr }) => [
      ...new Set(
        [...expr.matchAll(/([0-9.]+) # ([a-zA-Z]+)$/gm)].map(
          ([, value, name]) => `${name} ${value} ${alert}`,
        ),
      ),
    ]);
    const inPage = [...runbook.matchAll(/^\| `(\w+)` \| (\S+) \| \[(\w+)\]/gm)].map(
      ([, name, value, alert]) => `${name} ${value} ${alert}`,
    );
    expect(inPage.toSorted()).toEqual(inRules.toSorted());
  });

  it('fire and do not fire as their unit tests say', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sailmark-rules-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    for (const step of new Set(alertCases.map(stepOf))) {
      const tests = alertCases.filter((case_) => stepOf(case_) === step).map(unitTestOf);
      const file = join(directory, `tests-${step}.yaml`);
      const evaluation_interval = `${step}m`;
      await writeFile(file, JSON.stringify({ rule_files: [RULES_FILE], evaluation_interval, tests }));
      expect(await promtool(['test', 'rules', file])).toEqual({
        code: 0,
        output: expect.stringContaining('SUCCESS'),
      });
    }
  });
});
