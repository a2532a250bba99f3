import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { at, type Manifest, manifestOf, refusals, render } from './helm.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const read = (path: string): string =>
  readFileSync(new URL(`../../charts/sailmark/${path}`, import.meta.url), 'utf8');

const rulesOf = (tree: unknown): readonly Rule[] =>
  (at(tree, 'groups') as readonly { readonly rules: readonly Rule[] }[]).flatMap(({ rules }) => rules);

const FILE = rulesOf(load(read('files/alerts.yaml')));
const VALUES = load(read('values.yaml'));

const withRule = (settings: object = {}) => ({ metrics: { prometheusRule: { enabled: true, ...settings } } });

const renderRules = async (settings: object = {}): Promise<readonly Rule[]> =>
  rulesOf(manifestOf(await render(withRule(settings)), 'PrometheusRule')['spec']);

const isDashboard = ({ metadata }: Manifest): boolean => metadata.name.endsWith('-dashboard');

describe('the alert rules and the dashboard', () => {
  it('are none by default', async () => {
    const manifests = await render();
    expect(manifests.filter(({ kind }) => kind === 'PrometheusRule')).toEqual([]);
    expect(manifests.filter(isDashboard)).toEqual([]);
  });
});

describe('values of the alert rules that are refused', () => {
  it.each([
    [{ disabled: ['SailmarkDwon'] }, /disabled has SailmarkDwon, which is no alert/],
    [{ thresholds: { certificateDay: 3 } }, /certificateDay/],
    [{ thresholds: { slowShare: 2 } }, /slowShare/],
    [{ thresholds: { latencySeconds: 0 } }, /latencySeconds/],
    [{ matchers: 'namespace="a"}\nx' }, /matchers/],
    [{ runbookUrl: 'docs/runbook.md' }, /runbookUrl/],
  ])('%j', async (settings, why) => {
    expect((await refusals(withRule(settings))).join('\n')).toMatch(why);
  });
});

describe('the PrometheusRule', () => {
  it('has the rules of the file, about the release alone', async () => {
    const rules = await renderRules();
    const own = (expr: string) => expr.replaceAll('namespace=~".*"', 'namespace="sailmark"');
    expect(rules).toEqual(FILE.map((rule) => ({ ...rule, expr: own(rule.expr) })));
    const text = JSON.stringify(rules);
    expect(text).not.toContain('=~\\".*\\"');
    expect(text.match(/namespace=\\"sailmark\\"/g)?.length).toBeGreaterThan(30);
  });

  it('has the matchers of the values, for a Prometheus with other labels', async () => {
    const rules = await renderRules({ matchers: 'cluster="a", kubernetes_namespace="sailmark"' });
    expect(rules[0]?.expr).toBe('absent(sailmark_build_info{cluster="a", kubernetes_namespace="sailmark"})');
  });

  const defaults = at(VALUES, 'metrics', 'prometheusRule', 'thresholds') as Readonly<Record<string, number>>;

  it.each(Object.entries(defaults))(
    'has the threshold %s, whose default is that of the file',
    async (name, value) => {
      expect(JSON.stringify(FILE)).toContain(`${value} # ${name}`);
      const changed = (await renderRules({ thresholds: { [name]: 0.375 } })).filter(
        ({ expr }, index) => expr.replaceAll('namespace="sailmark"', 'namespace=~".*"') !== FILE[index]?.expr,
      );
      expect(changed).toHaveLength(1);
      expect(changed[0]?.expr).toMatch(new RegExp(` 0\\.375 # ${name}$`, 'm'));
    },
  );

  it('has every threshold of the file in the values', () => {
    const named = FILE.flatMap(({ expr }) => [...expr.matchAll(/ # (\w+)$/gm)].map(([, name]) => name));
    expect(new Set(named)).toEqual(new Set(Object.keys(defaults)));
  });

  it('leaves out what is disabled, and a group of which nothing is left', async () => {
    const certificates = ['SailmarkCertificateExpiring', 'SailmarkAuthorityExpiring'];
    const manifest = manifestOf(await render(withRule({ disabled: certificates })), 'PrometheusRule');
    expect(rulesOf(manifest['spec']).map(({ alert }) => alert)).toEqual(
      FILE.map(({ alert }) => alert).filter((alert) => !certificates.includes(alert)),
    );
    expect(JSON.stringify(manifest['spec'])).not.toContain('sailmark.certificates');
  });

  it('adds labels, annotations and the address of the runbook to each alert', async () => {
    const rules = await renderRules({
      alertLabels: { team: 'mesh', severity: 'page' },
      alertAnnotations: { dashboard: 'sailmark' },
      runbookUrl: 'https://docs.corp.example/runbook',
    });
    for (const { alert, labels, annotations } of rules) {
      expect(labels).toEqual({ team: 'mesh', severity: 'page' });
      expect(annotations).toMatchObject({
        dashboard: 'sailmark',
        summary: expect.stringMatching(/\w/),
        runbook_url: `https://docs.corp.example/runbook#${alert.toLowerCase()}`,
      });
    }
  });

  it('stands where a Prometheus looks for it, with the labels that it selects', async () => {
    const settings = {
      namespace: 'monitoring',
      labels: { release: 'prometheus' },
      annotations: { note: 'a' },
    };
    const { metadata } = manifestOf(await render(withRule(settings)), 'PrometheusRule');
    expect(metadata).toMatchObject({ namespace: 'monitoring', annotations: { note: 'a' } });
    expect(metadata.labels?.['release']).toBe('prometheus');
  });
});

describe('the dashboard', () => {
  it('is the file, in a ConfigMap that the sidecar of Grafana finds', async () => {
    const manifests = await render({
      metrics: {
        dashboard: { enabled: true, namespace: 'monitoring', annotations: { grafana_folder: 'Security' } },
      },
    });
    const [configMap] = manifests.filter(isDashboard);
    expect(configMap?.metadata).toMatchObject({
      namespace: 'monitoring',
      labels: { grafana_dashboard: '1' },
      annotations: { grafana_folder: 'Security' },
    });
    const text = at(configMap, 'data', 'sailmark.json');
    expect(JSON.parse(String(text))).toEqual(JSON.parse(read('files/dashboard.json')));
  });
});
