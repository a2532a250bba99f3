import { Environment } from '@marcbachmann/cel-js';
import { describe, expect, it } from 'vitest';
import { CRITICAL, LABELS, MODES, NAMESPACES, sendTo, workloadEntriesOf } from './entries.ts';
import { render } from './helm.ts';

/* The webhook entries that warn of workloads. */

interface Condition {
  readonly name: string;
  readonly expression: string;
}

describe('the webhook entries for workloads', () => {
  it.each(MODES)('never refuse, ignore failures, and have no side effects: %s', async (mode) => {
    const entries = await workloadEntriesOf({ mode, webhook: { failurePolicy: 'Fail' } });
    expect(entries.map(({ name }) => name)).toEqual([
      'workloads-critical.sailmark.dev',
      'workloads-enforce.sailmark.dev',
      'workloads-warn.sailmark.dev',
    ]);
    for (const { failurePolicy, sideEffects, timeoutSeconds, matchPolicy, rules, clientConfig } of entries)
      expect({ failurePolicy, sideEffects, timeoutSeconds, matchPolicy, rules, clientConfig }).toEqual({
        failurePolicy: 'Ignore',
        sideEffects: 'None',
        timeoutSeconds: 5,
        matchPolicy: 'Equivalent',
        clientConfig: {
          service: {
            name: 'sailmark',
            namespace: 'sailmark',
            port: 443,
            path: expect.stringMatching(/^\/workloads\//) as string,
          },
        },
        rules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['deployments', 'statefulsets', 'daemonsets'],
            scope: 'Namespaced',
          },
          {
            apiGroups: ['batch'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['jobs', 'cronjobs'],
            scope: 'Namespaced',
          },
        ],
      });
  });

  it.each(MODES)('are asked once where enforce or warn holds, and nowhere else: %s', async (mode) => {
    const entries = await workloadEntriesOf({ mode });
    const rank = (one: string | undefined): number => MODES.findIndex((each) => each === one);
    const holding = (label: string | undefined): string =>
      label !== undefined && rank(label) > rank(mode) ? label : mode;
    const all = NAMESPACES.flatMap((namespace) => LABELS.map((label) => ({ namespace, label })));
    const wanted = ({ namespace, label }: (typeof all)[number]): readonly string[] => {
      const isCritical = CRITICAL.includes(namespace);
      const holds = isCritical ? mode : holding(label);
      if (holds === 'audit') return [];
      return [isCritical ? `/workloads/critical/${holds}` : `/workloads/${holds}`];
    };
    expect(all.map((each) => [each, sendTo(entries, each)])).toEqual(all.map((each) => [each, wanted(each)]));
  });

  it('are there unless they are switched off', async () => {
    expect(await workloadEntriesOf({ webhook: { workloads: false } })).toEqual([]);
    const [entry] = await workloadEntriesOf({ webhook: { workloadTimeoutSeconds: 2 } });
    expect(entry?.['timeoutSeconds']).toBe(2);
    expect(JSON.stringify(await render({ webhook: { workloads: false } }))).not.toContain('/workloads/');
  });
});

describe('the API server asks about a workload', async () => {
  // Names with the words that the condition gives a meaning.
  const mirror = 'registry.corp.example/object-oldObject';
  const config = { mirrors: [{ mirror, of: 'docker.io/istio' }] };
  const [entry] = await workloadEntriesOf({ mode: 'enforce', config });
  const conditions = (entry?.matchConditions ?? []) as readonly Condition[];
  const asks = (object: object, oldObject: object | null = null): boolean => {
    const environment = new Environment()
      .registerVariable('object', 'dyn')
      .registerVariable('oldObject', 'dyn');
    return conditions.every(({ expression }) => environment.parse(expression)({ object, oldObject }));
  };
  const template = (image: string) => ({ metadata: {}, spec: { containers: [{ name: 'app', image }] } });
  const KINDS: readonly (readonly [string, (image: string) => object])[] = [
    ['a Deployment', (image) => ({ metadata: {}, spec: { template: template(image) } })],
    [
      'a CronJob',
      (image) => ({ metadata: {}, spec: { jobTemplate: { spec: { template: template(image) } } } }),
    ],
  ];
  const istio = 'docker.io/istio/proxyv2:1.28.0';

  it.each(KINDS)('with a new or changed image of Istio: %s', (_name, of) => {
    expect(asks(of(istio))).toBe(true);
    expect(asks(of(`${mirror}/proxy:1`))).toBe(true);
    expect(asks(of(istio), of('docker.io/istio/proxyv2:1.27.0'))).toBe(true);
    expect(asks(of(istio), of('nginx'))).toBe(true);
  });

  it.each(KINDS)('never for another image, or one that stays: %s', (_name, of) => {
    expect(asks(of('nginx:1.29'))).toBe(false);
    expect(asks(of(istio), of(istio))).toBe(false);
  });

  it('never if a controller made it', () => {
    const owned = (controller: object) => ({
      metadata: { ownerReferences: [{ kind: 'CronJob', name: 'a', ...controller }] },
      spec: { template: template(istio) },
    });
    expect(asks(owned({ controller: true }))).toBe(false);
    expect(asks(owned({ controller: false }))).toBe(true);
    expect(asks(owned({}))).toBe(true);
  });
});
