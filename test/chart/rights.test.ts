import { describe, expect, it } from 'vitest';
import { corporate } from './example-values.ts';
import { at, type Manifest, manifestOf, render } from './helm.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Every right, as `where: verbs group/resource names`. */
const rightsOf = (manifests: readonly Manifest[]): readonly string[] =>
  manifests
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    // Those of the scan, which has an account of its own: scan.test.ts.
    .filter(({ metadata }) => !metadata.name.endsWith('-scan'))
    .flatMap((role) =>
      (role['rules'] as readonly Rule[]).map(({ apiGroups, resources, resourceNames = [], verbs }) =>
        [
          `${role.metadata.namespace ?? 'cluster'}:`,
          verbs.join(),
          apiGroups.map((group, index) => `${group}/${resources[index]}`).join(),
          ...resourceNames,
        ].join(' '),
      ),
    )
    .toSorted();

const OWN_SECRET = 'sailmark: get,update /secrets sailmark-certificates';
const OWN_WEBHOOK =
  'cluster: get,watch,patch admissionregistration.k8s.io/validatingwebhookconfigurations sailmark';
const OWN_CA_BUNDLE =
  'cluster: get,patch admissionregistration.k8s.io/validatingwebhookconfigurations sailmark';
const OWN_PINNING =
  'cluster: get,patch admissionregistration.k8s.io/mutatingwebhookconfigurations zz-sailmark';
const PODS = 'cluster: list /pods';
const EVENTS = 'cluster: create,patch events.k8s.io/events';
const EVIDENCE =
  'sailmark: get,watch,patch /configmaps sailmark-evidence-tags sailmark-evidence-0 sailmark-evidence-1 sailmark-evidence-2 sailmark-evidence-3';

const provided = {
  mode: 'provided',
  provided: { secret: 'serving', caBundle: '-----BEGIN CERTIFICATE-----' },
};
const nothing = { events: false, warmUp: '0s' };
const immediate = { webhook: { activation: 'immediate' } };
const stored = (kind: string) => ({ evidence: { write: { kind } } });
const pullSecrets = { registries: corporate.config.registries };

describe('the rights', () => {
  it.each([
    { name: 'no values', values: {}, rights: [EVENTS, OWN_WEBHOOK, OWN_PINNING, PODS, OWN_SECRET, EVIDENCE] },
    {
      name: 'no Events',
      values: { kubernetes: { events: false } },
      rights: [OWN_WEBHOOK, OWN_PINNING, PODS, OWN_SECRET, EVIDENCE],
    },
    {
      name: 'no warm-up',
      values: { kubernetes: { warmUp: '0s' } },
      rights: [EVENTS, OWN_WEBHOOK, OWN_PINNING, OWN_SECRET, EVIDENCE],
    },
    {
      name: 'no pinning',
      values: { pin: 'never' },
      rights: [EVENTS, OWN_WEBHOOK, PODS, OWN_SECRET, EVIDENCE],
    },
    {
      name: 'certificates by itself alone',
      values: { kubernetes: nothing, ...stored('none') },
      rights: [OWN_WEBHOOK, OWN_PINNING, OWN_SECRET],
    },
    {
      name: 'evidence on volumes',
      values: stored('emptyDir'),
      rights: [EVENTS, OWN_WEBHOOK, OWN_PINNING, PODS, OWN_SECRET],
    },
    {
      name: 'evidence in the cluster alone',
      values: { certificates: provided, kubernetes: nothing, ...immediate },
      rights: [EVIDENCE],
    },
    {
      name: 'provided certificates',
      values: { certificates: provided },
      rights: [EVENTS, OWN_WEBHOOK, PODS, EVIDENCE],
    },
    {
      name: 'in force at once',
      values: immediate,
      rights: [EVENTS, OWN_CA_BUNDLE, OWN_PINNING, PODS, OWN_SECRET, EVIDENCE],
    },
    {
      name: 'nothing asked',
      values: { certificates: provided, kubernetes: nothing, ...stored('none'), ...immediate },
      rights: [],
    },
    {
      name: 'pull secrets, down to their names',
      values: {
        certificates: provided,
        kubernetes: nothing,
        ...stored('none'),
        ...immediate,
        files: corporate.files,
        config: pullSecrets,
      },
      rights: ['apps: get /secrets registry', 'istio-system: get /secrets other registry'],
    },
    {
      name: 'nothing but the result of the scan, whose own account is another’s',
      values: {
        certificates: provided,
        kubernetes: nothing,
        ...stored('none'),
        ...immediate,
        scan: { enabled: true },
      },
      rights: ['sailmark: get,watch /configmaps sailmark-scan'],
    },
    { name: 'none to be made', values: { rbac: { create: false } }, rights: [] },
  ])('are these, and no more: $name', async ({ values, rights }) => {
    const given: readonly string[] = rights;
    expect(rightsOf(await render(values))).toEqual(given.toSorted());
  });

  it('are the account’s of the pods, each role bound where it stands', async () => {
    const manifests = await render({ ...corporate, serviceAccount: { name: 'gate' } });
    const roles = manifests.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
    for (const { kind, metadata } of roles) {
      const binding = manifests.find(
        (one) =>
          one.kind === `${kind}Binding` &&
          one.metadata.name === metadata.name &&
          one.metadata.namespace === metadata.namespace,
      );
      expect([at(binding, 'roleRef'), at(binding, 'subjects')]).toEqual([
        { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
        [{ kind: 'ServiceAccount', name: 'gate', namespace: 'sailmark' }],
      ]);
    }
    expect(manifests.filter(({ kind }) => kind.endsWith('Binding'))).toHaveLength(roles.length);
    expect(at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'spec', 'serviceAccountName')).toBe(
      'gate',
    );
    expect(manifestOf(manifests, 'ServiceAccount')).toMatchObject({
      metadata: { name: 'gate' },
      automountServiceAccountToken: false,
    });
  });
});
