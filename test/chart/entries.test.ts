import { describe, expect, it } from 'vitest';
import {
  CRITICAL,
  type Entry,
  entriesOf,
  LABELS,
  MODES,
  NAMESPACES,
  rulesWhenReady,
  sendTo,
} from './entries.ts';

type Mode = (typeof MODES)[number];
const rank = (mode: Mode): number => MODES.indexOf(mode);

/**
 * The mode of a namespace (charts/sailmark/README.md, "Modes"): the release's, unless a label strengthens it or may
 * weaken it.
 */
const expected = (mode: Mode, weaker: boolean, namespace: string, label: string | undefined): string => {
  if (CRITICAL.includes(namespace)) return `/validate/critical/${mode}`;
  const labelMode = MODES.find((one) => one === label);
  return `/validate/${labelMode !== undefined && (weaker || rank(labelMode) > rank(mode)) ? labelMode : mode}`;
};

const RULES = [
  {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CREATE', 'UPDATE'],
    resources: ['pods'],
    scope: 'Namespaced',
  },
  {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['UPDATE'],
    resources: ['pods/ephemeralcontainers'],
    scope: 'Namespaced',
  },
];

const cases = MODES.flatMap((mode) => [false, true].map((weaker) => ({ mode, weaker })));

describe('the webhook entries', () => {
  it.each(cases)(
    'send each pod once, and where its namespace says: $mode, weaker labels $weaker',
    async ({ mode, weaker }) => {
      const entries = await entriesOf({ mode, modes: { allowWeakerLabels: weaker } });
      const all = NAMESPACES.flatMap((namespace) => LABELS.map((label) => ({ namespace, label })));
      const sent = all.map((namespace) => ({ ...namespace, paths: sendTo(entries, namespace) }));
      expect(sent).toEqual(
        all.map(({ namespace, label }) => ({
          namespace,
          label,
          paths: [expected(mode, weaker, namespace, label)],
        })),
      );
    },
  );

  it.each(['Validating', 'Mutating'])(
    'send nothing of a namespace that is excluded, critical or not, whatever its label: %s',
    async (kind) => {
      const values = { mode: 'enforce', excludedNamespaces: ['default', 'kube-system'] };
      const entries = await entriesOf(values, `${kind}WebhookConfiguration`);
      for (const label of LABELS)
        expect(NAMESPACES.filter((namespace) => sendTo(entries, { namespace, label }).length === 0)).toEqual([
          'default',
          'kube-system',
        ]);
    },
  );

  it.each(MODES)(
    'have no rules where they can refuse, in mode %s or another, until a replica is ready',
    async (mode) => {
      for (const values of [{ mode }, { mode, webhook: { failurePolicy: 'Ignore' } }]) {
        const rules = (await entriesOf(values)).map((entry) => [entry.name, 'rules' in entry]);
        expect(rules).toEqual([
          ['critical.sailmark.dev', false],
          ['enforce.sailmark.dev', false],
          ['warn.sailmark.dev', true],
          ['audit.sailmark.dev', true],
        ]);
        expect(await rulesWhenReady(values)).toEqual({
          'critical.sailmark.dev': RULES,
          'enforce.sailmark.dev': RULES,
        });
      }
    },
  );

  it('have their rules at once, and nothing that sailmark would write, where the values say so', async () => {
    const values = { mode: 'enforce', webhook: { activation: 'immediate' } };
    expect((await entriesOf(values)).map(({ rules }) => rules)).toEqual([RULES, RULES, RULES, RULES]);
    expect(await rulesWhenReady(values)).toBeUndefined();
  });

  it.each(MODES)('are four, with these rules: %s', async (mode) => {
    const whenReady = await rulesWhenReady({ mode });
    const entries = (await entriesOf({ mode })).map(
      (entry): Entry => ({
        ...entry,
        rules: entry['rules'] ?? whenReady?.[entry.name],
      }),
    );
    expect(
      entries.map(({ name, failurePolicy, timeoutSeconds }) => ({ name, failurePolicy, timeoutSeconds })),
    ).toEqual([
      { name: 'critical.sailmark.dev', failurePolicy: 'Ignore', timeoutSeconds: 5 },
      { name: 'enforce.sailmark.dev', failurePolicy: 'Fail', timeoutSeconds: 10 },
      { name: 'warn.sailmark.dev', failurePolicy: 'Ignore', timeoutSeconds: 10 },
      { name: 'audit.sailmark.dev', failurePolicy: 'Ignore', timeoutSeconds: 10 },
    ]);
    for (const { sideEffects, matchPolicy, objectSelector, admissionReviewVersions, rules } of entries)
      expect({ sideEffects, matchPolicy, objectSelector, admissionReviewVersions, rules }).toEqual({
        sideEffects: 'NoneOnDryRun',
        matchPolicy: 'Equivalent',
        objectSelector: {},
        admissionReviewVersions: ['v1'],
        rules: RULES,
      });
  });

  it('have no condition on content where they can refuse, and a missing answer lets a pod through', async () => {
    const conditional = async (values: object) =>
      (await entriesOf(values))
        .filter(({ matchConditions }) => matchConditions !== undefined)
        .map(({ name }) => name.split('.')[0]);
    expect(await conditional({ mode: 'enforce' })).toEqual(['enforce', 'warn', 'audit']);
    expect(await conditional({ mode: 'enforce', webhook: { failurePolicy: 'Ignore' } })).toEqual([
      'warn',
      'audit',
    ]);
    expect(await conditional({ mode: 'warn' })).toEqual(['critical', 'enforce', 'warn', 'audit']);
    expect(await conditional({ mode: 'audit' })).toEqual(['critical', 'enforce', 'warn', 'audit']);
  });

  it('never render a caBundle, but for one that is provided', async () => {
    const bundles = async (values: object) =>
      (await entriesOf(values)).map(({ clientConfig }) => clientConfig.caBundle);
    expect(await bundles({})).toEqual([undefined, undefined, undefined, undefined]);
    const caBundle = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    const given = Buffer.from(caBundle).toString('base64');
    expect(
      await bundles({ certificates: { mode: 'provided', provided: { secret: 'serving', caBundle } } }),
    ).toEqual([given, given, given, given]);
  });

  it('reach the Service, or a URL', async () => {
    const [, enforce] = await entriesOf({ service: { port: 8443 } });
    expect(enforce?.clientConfig).toEqual({
      service: { name: 'sailmark', namespace: 'sailmark', port: 8443, path: '/validate/enforce' },
    });
    const [critical] = await entriesOf({ webhook: { url: 'https://gate.corp.example:8443/' } });
    expect(critical?.clientConfig).toEqual({ url: 'https://gate.corp.example:8443/validate/critical/audit' });
  });
});
