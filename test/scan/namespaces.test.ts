import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { Mode } from '../../src/policy/index.ts';
import { createCoverage } from '../../src/scan/collect/index.ts';
import { readNamespacePolicy } from '../../src/scan/namespaces/index.ts';
import { matchesSelector } from '../../src/scan/namespaces/selector.ts';
import { startAndConnect, testDeadline } from '../kubernetes/connected-cluster.ts';
import { type Json, refuse, webhookPath } from '../support/cluster-server.ts';

const NAME = 'kubernetes.io/metadata.name';
const MODE = 'sailmark.dev/mode';

const entry = (name: string, ...matchExpressions: readonly Json[]): Json => ({
  name: `${name}.sailmark.dev`,
  namespaceSelector: { matchExpressions },
});
const names = (operator: string, ...values: readonly string[]): Json => ({ key: NAME, operator, values });
const mode = (operator: string, ...values: readonly string[]): Json => ({ key: MODE, operator, values });
const none: Json = { key: NAME, operator: 'DoesNotExist' };

/** The entries of a release in audit, as the chart renders them. */
const AUDIT: readonly Json[] = [
  entry('critical', names('In', 'istio-system', 'sailmark')),
  entry('enforce', names('NotIn', 'istio-system', 'sailmark', 'lab'), mode('In', 'enforce')),
  entry('warn', names('NotIn', 'istio-system', 'sailmark', 'lab'), mode('In', 'warn')),
  entry('audit', names('NotIn', 'istio-system', 'sailmark', 'lab'), mode('NotIn', 'warn', 'enforce')),
];
const notNamed = names('NotIn', 'istio-system');
/** A release that enforces, whose labels may weaken it. */
const ENFORCE: readonly Json[] = [
  entry('critical', names('In', 'istio-system')),
  entry('enforce', notNamed, mode('NotIn', 'audit', 'warn')),
  entry('warn', notNamed, mode('In', 'warn')),
  entry('audit', notNamed, mode('In', 'audit')),
];
/** The same, whose labels may not. */
const STRICT: readonly Json[] = [
  entry('critical', names('In', 'istio-system')),
  entry('enforce', notNamed),
  entry('warn', none),
  entry('audit', none),
];

const start = async (
  webhooks: readonly Json[] | undefined,
  labels: Readonly<Record<string, Json>> = {},
  pins: readonly Json[] = [],
) => {
  const { server, cluster } = await startAndConnect();
  for (const [name, own] of Object.entries(labels))
    server.put(`/api/v1/namespaces/${name}`, { metadata: { labels: { [NAME]: name, ...own } } });
  server.put(webhookPath('other'), { webhooks: [{ name: 'x.example.com' }] });
  if (webhooks !== undefined) server.put(webhookPath('sailmark'), { webhooks });
  if (pins.length > 0) server.put(webhookPath('zz-sailmark', 'mutating'), { webhooks: pins });
  const coverage = createCoverage();
  const read = (asked: Mode = 'enforce', namespaces?: readonly string[]) =>
    readNamespacePolicy({ cluster, coverage, mode: asked, namespaces, signal: testDeadline() });
  return { server, coverage, read };
};

describe('a label selector', () => {
  const labels = { a: '1', [NAME]: 'shop' };
  it.each([
    [undefined, true],
    [null, true],
    [{}, true],
    [{ matchLabels: null, matchExpressions: null }, true],
    [{ matchLabels: { a: '1' } }, true],
    [{ matchLabels: { a: '2' } }, false],
    [{ matchLabels: { toString: '1' } }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, true],
    [{ matchExpressions: [{ key: 'b', operator: 'In', values: ['1'] }] }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, false],
    [{ matchExpressions: [{ key: 'b', operator: 'NotIn', values: ['1'] }] }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, false],
    [{ matchExpressions: [{ key: 'b', operator: 'DoesNotExist' }] }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['0'] }] }, false],
    [{ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] }, false],
    ['all', false],
    [{ matchExpressions: 'x' }, false],
    [{ matchExpressions: [null] }, false],
  ])('%j: %s', (selector, expected) => {
    expect(matchesSelector(selector, labels)).toBe(expected);
  });
});

describe('how namespaces would be judged', () => {
  it("follows the chart's defaults where no webhook may be read, and says so", async () => {
    const { server, coverage, read } = await start(AUDIT, { shop: {}, 'kube-system': {} });
    server.fault = (request, response) =>
      request.path.includes('webhookconfigurations') && refuse(403, 'no')(request, response);
    const { policy, ruleFor } = await read();
    expect(policy).toEqual({
      mode: 'enforce',
      webhook: null,
      criticalNamespaces: ['kube-system'],
      excludedNamespaces: [],
      pin: 'enforce',
    });
    expect(ruleFor('shop')).toEqual({ mode: 'enforce', critical: false, excluded: false, pinned: true });
    expect(coverage.result().notSeen).toMatchObject([
      { resource: 'validatingwebhookconfigurations.admissionregistration.k8s.io' },
    ]);
  });

  it('takes the pods for pinned where it may not be read who pins them: that is the default', async () => {
    const { server, coverage, read } = await start(AUDIT, { shop: {} }, [entry('pin', none)]);
    server.fault = (request, response) =>
      request.path.includes('mutatingwebhook') && refuse(403, 'no')(request, response);
    const { policy, ruleFor } = await read();
    expect([policy.webhook, policy.pin, ruleFor('shop').pinned]).toEqual(['sailmark', 'enforce', true]);
    expect(coverage.result().notSeen).toMatchObject([
      { resource: 'mutatingwebhookconfigurations.admissionregistration.k8s.io' },
    ]);
  });

  it("has the chart's own defaults", async () => {
    const { read } = await start(undefined);
    const { policy } = await read();
    const file = new URL('../../charts/sailmark/values.yaml', import.meta.url);
    const values = load(readFileSync(file, 'utf8')) as Json;
    expect(policy.criticalNamespaces.toSorted()).toEqual(
      (values['criticalNamespaces'] as string[]).toSorted(),
    );
    expect(policy).toMatchObject({ pin: values['pin'], excludedNamespaces: values['excludedNamespaces'] });
  });

  it('counts a name as the only label where namespaces may not be read', async () => {
    const { server, coverage, read } = await start(AUDIT, { shop: { [MODE]: 'enforce' } });
    server.fault = (request, response) =>
      request.path.startsWith('/api/v1/namespaces') && refuse(403, 'no')(request, response);
    const { policy, ruleFor } = await read('audit');
    expect(ruleFor('shop').mode).toBe('audit');
    expect(ruleFor('istio-system').critical).toBe(true);
    expect(policy).toMatchObject({
      criticalNamespaces: ['istio-system', 'sailmark'],
      excludedNamespaces: ['lab'],
    });
    expect(coverage.result().notSeen.map(({ resource }) => resource)).toEqual(['namespaces']);
  });

  it('knows no labels of a namespace that may not be read, and counts it as not seen', async () => {
    const { server, coverage, read } = await start(AUDIT, { shop: {}, pay: {} });
    server.fault = (request, response) =>
      request.path === '/api/v1/namespaces/pay' && refuse(403, 'no')(request, response);
    const { namespaces, labelsOf, ruleFor } = await read('enforce', ['shop', 'pay']);
    expect([namespaces, labelsOf('pay'), ruleFor('pay').mode]).toEqual([['shop'], undefined, 'enforce']);
    const { resources, notSeen } = coverage.result();
    expect(resources).toContainEqual({ resource: 'namespaces', objects: 1, requests: 1 });
    expect(notSeen).toMatchObject([{ resource: 'namespaces' }]);
  });

  it('reads the namespaces that are named by get, and says which do not exist', async () => {
    const { server, coverage, read } = await start(AUDIT, { shop: { [MODE]: 'enforce' } });
    const { ruleFor } = await read('audit', ['shop', 'gone']);
    expect(ruleFor('shop').mode).toBe('enforce');
    expect(server.requests.map(({ path }) => path)).not.toContain('/api/v1/namespaces');
    expect(coverage.result().notSeen).toMatchObject([{ why: 'there is no namespace gone' }]);
  });

  it.each<[string, readonly Json[], Mode, string, Json, object]>([
    ['no label', AUDIT, 'audit', 'shop', {}, { mode: 'audit' }],
    ['a stronger label', AUDIT, 'audit', 'shop', { [MODE]: 'warn' }, { mode: 'warn' }],
    ['a label that is no mode', AUDIT, 'audit', 'shop', { [MODE]: 'off' }, { mode: 'audit' }],
    ['no label, once it enforces', AUDIT, 'enforce', 'shop', {}, { mode: 'enforce' }],
    ['a label that is then weaker', AUDIT, 'enforce', 'shop', { [MODE]: 'warn' }, { mode: 'enforce' }],
    ['a label that may weaken', ENFORCE, 'enforce', 'shop', { [MODE]: 'warn' }, { mode: 'warn' }],
    ['a label that may not', STRICT, 'enforce', 'shop', { [MODE]: 'warn' }, { mode: 'enforce' }],
    ['a critical namespace', AUDIT, 'enforce', 'istio-system', {}, { mode: 'enforce', critical: true }],
    ['an excluded namespace', AUDIT, 'enforce', 'lab', {}, { excluded: true, pinned: false }],
    ['a name that is forged', AUDIT, 'enforce', 'shop', { [NAME]: 'lab' }, { excluded: false }],
  ])('is right for %s', async (_case, webhooks, asked, name, own, expected) => {
    const { read } = await start(webhooks, { [name]: own }, [entry('pin', none)]);
    const { policy, ruleFor } = await read(asked);
    expect(policy.webhook).toBe('sailmark');
    expect(ruleFor(name)).toMatchObject(expected);
  });

  it.each<[string, readonly Json[], object, readonly [boolean, boolean]]>([
    ['never', [], { pin: 'never' }, [false, false]],
    ['where it enforces', [entry('pin', mode('In', 'enforce'))], { pin: 'enforce' }, [true, false]],
    ['where it would enforce', [entry('pin', none)], { pin: 'enforce' }, [true, false]],
    ['always', [entry('pin', names('NotIn', 'lab'))], { pin: 'always' }, [true, true]],
  ])('pins %s', async (_case, pins, expected, [enforced, audited]) => {
    const { read } = await start(AUDIT, { shop: {} }, pins);
    expect((await read('enforce')).policy).toMatchObject(expected);
    expect((await read('enforce')).ruleFor('shop').pinned).toBe(enforced);
    expect((await read('audit')).ruleFor('shop').pinned).toBe(audited);
  });

  it('takes the first of two webhooks, and says that there is another', async () => {
    const { server, coverage, read } = await start(AUDIT);
    server.put(webhookPath('another'), { webhooks: STRICT });
    expect((await read()).policy.webhook).toBe('another');
    expect(coverage.result().notSeen).toMatchObject([
      { why: 'sailmark is a webhook of sailmark too; namespaces are judged by another' },
    ]);
  });
});
