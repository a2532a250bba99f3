import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/config/index.ts';
import { CRITICAL, entriesOf, LABELS, MODES, NAMESPACES, sendTo } from './entries.ts';
import { at, manifestOf, namesOf, render } from './helm.ts';

const MUTATING = 'MutatingWebhookConfiguration';
const pinEntries = (values: object) => entriesOf(values, MUTATING);
const cases = MODES.flatMap((mode) => [false, true].map((weaker) => ({ mode, weaker })));
const namespaces = NAMESPACES.flatMap((namespace) => LABELS.map((label) => ({ namespace, label })));

/** The path of the webhook that pins, for a path of the one that decides. */
const pinPath = (path: string | undefined) =>
  path?.startsWith('/validate/critical/') === true ? '/mutate/critical/pin' : '/mutate/pin';

describe('the entries that pin', () => {
  it.each(cases)(
    'are sent, by default, exactly the pods that enforce decides: $mode, weaker labels $weaker',
    async ({ mode, weaker }) => {
      const values = { mode, modes: { allowWeakerLabels: weaker } };
      const [deciding, pinning] = [await entriesOf(values), await pinEntries(values)];
      for (const namespace of namespaces) {
        const enforced = sendTo(deciding, namespace).filter((path) => path?.endsWith('/enforce'));
        expect([namespace, sendTo(pinning, namespace)]).toEqual([namespace, enforced.map(pinPath)]);
      }
    },
  );

  it.each(MODES)('are sent every pod once where they always pin: %s', async (mode) => {
    const entries = await pinEntries({ mode, pin: 'always' });
    for (const namespace of namespaces)
      expect([namespace, sendTo(entries, namespace)]).toEqual([
        namespace,
        [CRITICAL.includes(namespace.namespace) ? '/mutate/critical/pin' : '/mutate/pin'],
      ]);
  });

  it('never refuse, are called again after a later webhook, and have no condition in critical namespaces', async () => {
    for (const values of [
      {},
      { mode: 'enforce' },
      { mode: 'enforce', webhook: { failurePolicy: 'Ignore' } },
    ]) {
      const validating = (await entriesOf(values)).find(({ name }) => name === 'warn.sailmark.dev');
      const entries = await pinEntries({ ...values, pin: 'always' });
      expect(
        entries.map(({ matchConditions, rules, ...entry }) => ({
          ...entry,
          conditions: (matchConditions ?? []).length,
          sameRules: JSON.stringify(rules) === JSON.stringify(validating?.['rules']),
        })),
      ).toEqual(
        [
          ['pin-critical.sailmark.dev', 0],
          ['pin.sailmark.dev', 1],
        ].map(([name, conditions]) => ({
          name,
          conditions,
          sameRules: true,
          admissionReviewVersions: ['v1'],
          failurePolicy: 'Ignore',
          matchPolicy: 'Equivalent',
          clientConfig: expect.anything(),
          namespaceSelector: expect.anything(),
          objectSelector: {},
          reinvocationPolicy: 'IfNeeded',
          sideEffects: 'None',
          timeoutSeconds: 6,
        })),
      );
    }
  });

  it('have the condition of the entries that decide', async () => {
    const conditionOf = ({ matchConditions }: Awaited<ReturnType<typeof pinEntries>>[number]) =>
      matchConditions;
    const [, enforce] = await entriesOf({ mode: 'enforce' });
    const [, pin] = await pinEntries({ mode: 'enforce' });
    expect(pin && conditionOf(pin)).toEqual(enforce && conditionOf(enforce));
  });

  it('are not rendered with pin: never, and nothing of the release names them', async () => {
    const manifests = await render({ pin: 'never' });
    expect(namesOf(manifests).filter((name) => name.startsWith(MUTATING))).toEqual([]);
    expect(JSON.stringify(manifests)).not.toContain('zz-sailmark');
    expect(JSON.stringify(manifests)).not.toContain('mutatingwebhookconfigurations');
  });

  it.each([
    [{}, {}, 'zz-sailmark'],
    [{}, { name: 'a', namespace: 'platform' }, 'zz-a-sailmark'],
    [{ fullnameOverride: 'aaa' }, {}, 'zz-aaa'],
    [{ fullnameOverride: 'z'.repeat(60) }, {}, `zz-${'z'.repeat(45)}`],
  ])(
    'have a name behind those of Istio’s injectors, whatever the release is called: %j %j',
    async (values, release, name) => {
      const { metadata } = manifestOf(await render(values, release), MUTATING);
      expect(metadata.name).toBe(name);
      for (const injector of [
        'istio-sidecar-injector',
        'istio-revision-tag-default',
        'istio-sidecar-injector-zz',
      ])
        expect([injector, metadata.name].toSorted()).toEqual([injector, metadata.name]);
    },
  );

  it('trust the CA that the others trust', async () => {
    const caBundle = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    const provided = { mode: 'provided', provided: { secret: 'serving', caBundle } };
    const entries = await pinEntries({ certificates: provided });
    expect(entries.map(({ clientConfig }) => clientConfig.caBundle)).toEqual(
      Array(2).fill(Buffer.from(caBundle).toString('base64')),
    );
    const managed = await render(
      { certificates: { mode: 'cert-manager' }, webhook: { annotations: { a: 'b' } } },
      { apis: ['cert-manager.io/v1'] },
    );
    expect(manifestOf(managed, MUTATING).metadata.annotations).toEqual({
      a: 'b',
      'cert-manager.io/inject-ca-from': 'sailmark/sailmark',
    });
    const [critical, pin] = await pinEntries({ webhook: { url: 'https://gate.corp.example:8443/' } });
    expect([critical?.clientConfig, pin?.clientConfig]).toEqual([
      { url: 'https://gate.corp.example:8443/mutate/critical/pin' },
      { url: 'https://gate.corp.example:8443/mutate/pin' },
    ]);
  });

  it('wait longer than a registry may be silent, and the response needs', async () => {
    const values = at(manifestOf(await render(), MUTATING), 'webhooks', 0, 'timeoutSeconds') as number;
    expect(values * 1000).toBeGreaterThan(3000 + 1000 + defaultLimits.reviewMargin);
  });
});
