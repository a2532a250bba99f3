import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricDefinitions } from '../../src/observability/index.ts';
import { dashboard, fillVariables, queries } from './dashboard.ts';
import { type Gate, SECRETS, startGate } from './gate.ts';
import { promtool } from './programs.ts';
import { type Prometheus, startApiServerMetrics, startPrometheus } from './prometheus.ts';

const JOB = 'sailmark-metrics';

let gate: Gate;
let prometheus: Prometheus;
let text: string;
const stops: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  gate = await startGate();
  stops.push(gate.stop);
  const apiServer = await startApiServerMetrics();
  stops.push(apiServer.stop);
  prometheus = await startPrometheus({ [JOB]: gate.probes, apiserver: apiServer.address });
  stops.push(prometheus.stop);
  await prometheus.untilScraped(1);
  for (let round = 2; round <= 7; round += 1) {
    await gate.sendTraffic();
    await prometheus.untilScraped(round);
  }
  text = await (await fetch(`http://${gate.probes}/metrics`)).text();
}, 60_000);

afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
});

/** The samples of the text, as name and labels. */
const samplesIn = (metrics: string) =>
  [...metrics.matchAll(/^(sailmark_\w+)(?:\{(.*)\})? \S+$/gm)].map(([, name = '', labels = '']) => ({
    name,
    labels: [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => ({ label, value })),
  }));

describe('the metrics of the running gate, after traffic', () => {
  it('have no problem that promtool finds, which finds some', async () => {
    expect(await promtool(['check', 'metrics'], '# TYPE a_total gauge\na_total 1\n')).toMatchObject({
      code: 3,
    });
    expect(await promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
  });

  it('are those of the table, each with a value', () => {
    const names = new Set(samplesIn(text).map(({ name }) => name.replace(/_(?:bucket|sum|count)$/, '')));
    const sorted = (list: Iterable<string>) => [...list].toSorted((a, b) => (a < b ? -1 : 1));
    expect(sorted(names)).toEqual(sorted(metricDefinitions.map(({ name }) => name)));
  });

  it('have no label and no value beyond the closed sets of the table', () => {
    const { host } = gate.mirror.registry;
    const setOf = (name: string, label: string): readonly string[] | RegExp => {
      if (label === 'le') return /^(?:[0-9.e-]+|\+Inf)$/;
      const own = metricDefinitions.find(
        (definition) => name.replace(/_(?:bucket|sum|count)$/, '') === definition.name,
      );
      const set = own?.labels[label];
      if (Array.isArray(set)) return set as readonly string[];
      if (label === 'registry') return [host, '127.0.0.1:1', 'other'];
      return set === undefined ? [] : /^[\w.+-]+$/;
    };
    const isIn = (set: readonly string[] | RegExp, value: string): boolean =>
      set instanceof RegExp ? set.test(value) : set.includes(value);
    const outside = samplesIn(text).flatMap(({ name, labels }) =>
      labels
        .filter(({ label, value }) => !isIn(setOf(name, label), value))
        .map((each) => ({ name, ...each })),
    );
    expect(outside).toEqual([]);
  });

  it('tell what was sent', async () => {
    const valueOf = async (query: string) => (await prometheus.query(query)).map(({ value }) => value);
    expect(
      await valueOf('sum(sailmark_findings_total{reason="signature-missing", effect="deny"}) > 0'),
    ).toHaveLength(1);
    expect(await valueOf('sum(sailmark_findings_total{effect="exempt"}) > 0')).toHaveLength(1);
    expect(await valueOf('sum(sailmark_findings_total{reason="registry-unavailable"}) > 0')).toHaveLength(1);
    expect(await valueOf('sailmark_registry_up{registry="127.0.0.1:1"}')).toEqual([0]);
    expect(await valueOf(`sailmark_registry_up{registry="${gate.mirror.registry.host}"}`)).toEqual([1]);
    expect(await valueOf('sailmark_webhook_active')).toEqual([1]);
    expect(await valueOf('min(sailmark_canary_success)')).toEqual([1]);
    expect(await valueOf('sailmark_keys{state="loaded"}')).toEqual([1]);
    expect(await valueOf('sailmark_evidence_images > 0')).toHaveLength(1);
    expect(await valueOf('sailmark_scan_pods{status="refused"}')).toEqual([3]);
    expect(
      await valueOf(
        'sailmark_ca_certificate_expiry_timestamp_seconds > sailmark_certificate_expiry_timestamp_seconds',
      ),
    ).toHaveLength(1);
    expect(await valueOf('sum(sailmark_http_errors_total{code=~"400|404"}) > 1')).toHaveLength(1);
  });
});

describe('the alert rules, on the metrics of the running gate', () => {
  it('are evaluated without an error', async () => {
    const faulty = (await prometheus.rules()).filter(({ health }) => health !== 'ok');
    expect(faulty).toEqual([]);
  });

  it('fire for the calls that fail, wait for the registry that is down, and are silent about what is well', async () => {
    const states = Object.fromEntries((await prometheus.rules()).map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({
      SailmarkCallsFailing: 'firing',
      SailmarkRegistryDown: 'pending',
      SailmarkDown: 'inactive',
      SailmarkNotReady: 'inactive',
      SailmarkNotInForce: 'inactive',
      SailmarkCanaryFailing: 'inactive',
      SailmarkKeyMissing: 'inactive',
      SailmarkCertificateExpiring: 'inactive',
      SailmarkAuthorityExpiring: 'inactive',
    });
  });
});

describe('the dashboard, on the metrics of the running gate', () => {
  it.each(queries)('has data in $title: $expr', async ({ expr }) => {
    const samples = await prometheus.query(fillVariables(expr));
    expect(samples.filter(({ value }) => !Number.isNaN(value))).not.toEqual([]);
  });

  it('has values to choose from in each variable', async () => {
    const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    expect(definitions).toHaveLength(3);
    for (const definition of definitions) {
      const [, match = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
      expect([definition, await prometheus.labelValues(label, fillVariables(match))]).toEqual([
        definition,
        [expect.stringMatching(/./)],
      ]);
    }
  });
});

describe('the log of the running gate, after traffic', () => {
  const page = readFileSync(new URL('../../docs/logs.md', import.meta.url), 'utf8');
  const fieldsIn = (heading: string): readonly string[] => {
    const [, section = ''] = page.split(new RegExp(`^## ${heading}$`, 'm'));
    return [...(section.split(/^## /m, 1)[0] ?? '').matchAll(/^\| `([\w.]+)`/gm)].map(
      ([, field = '']) => field,
    );
  };

  it('has one line for each review, with the fields of docs/logs.md and no other, and the uid of the request', () => {
    const lines = gate.log().filter(({ msg }) => msg === 'review' || msg === 'pin');
    expect(lines.length).toBeGreaterThan(60);
    for (const line of lines) {
      const name = line['msg'] as string;
      const record = line[name] as Readonly<Record<string, unknown>>;
      expect(fieldsIn('Every line')).toEqual(
        expect.arrayContaining(Object.keys(line).filter((key) => key !== name)),
      );
      expect(fieldsIn(name === 'pin' ? 'A pin' : 'A review')).toEqual(
        expect.arrayContaining(Object.keys(record)),
      );
      expect(record['uid']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('has no secret, and nothing of an object but its name and its images', () => {
    const log = JSON.stringify(gate.log());
    expect(gate.log().length).toBeGreaterThan(60);
    for (const secret of Object.values(SECRETS)) expect(log.includes(secret)).toBe(false);
    const { password, token } = SECRETS;
    for (const secret of [`robot:${password}`, token])
      expect(log.includes(Buffer.from(secret).toString('base64').replace(/=+$/, ''))).toBe(false);
    expect(log).not.toMatch(/PRIVATE KEY|"spec":|"containers":|"env":/);
  });
});
