import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { corporate } from './example-values.ts';
import { at, configurationOf, type Manifest, manifestOf, refusals, render } from './helm.ts';

/** The types of all scalars of a tree, in its shape. */
const typesOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(typesOf);
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, typesOf(below)]));
};

const typesOfAll = (manifests: readonly Manifest[]): unknown => [
  typesOf(manifests),
  typesOf(load(configurationOf(manifests))),
];

/** Text that YAML reads as something else, unless it is quoted. */
const NUMBERS = ['1234', '3240286e-210077', '1e3', '0x1f'] as const;

/** Values that name things, each by the same text. */
const valuesNaming = (text: string) => ({
  nameOverride: text,
  criticalNamespaces: [text],
  excludedNamespaces: [`${text}0`],
  serviceAccount: { name: text, annotations: { note: text } },
  priorityClassName: text,
  runtimeClassName: text,
  nodeSelector: { disk: text },
  imagePullSecrets: [{ name: text }, text],
  image: { tag: text },
  commonLabels: { team: text },
  commonAnnotations: { team: text },
  podLabels: { tier: text },
  podAnnotations: { tier: text },
  service: { labels: { tier: text }, annotations: { tier: text } },
  webhook: { annotations: { tier: text } },
  extraEnv: [{ name: 'MORE', value: text }],
  extraArgs: [text],
  hostAliases: [{ ip: '192.0.2.1', hostnames: [text] }],
  files: { ...corporate.files, [text]: { secret: { secretName: text } } },
  config: corporate.config,
  networkPolicy: { enabled: true },
  scan: {
    enabled: true,
    nodeSelector: { disk: text },
    serviceAccount: { name: `${text}0`, annotations: { note: text } },
    extraArgs: [text],
  },
  modes: { allowWeakerLabels: true, guard: { enabled: true } },
  metrics: {
    serviceMonitor: { enabled: true, namespace: text, labels: { release: text } },
    podMonitor: { enabled: true, namespace: text, labels: { release: text } },
    prometheusRule: {
      enabled: true,
      namespace: text,
      labels: { release: text },
      alertLabels: { team: text },
    },
    dashboard: { enabled: true, namespace: text, annotations: { grafana_folder: text } },
  },
});

const variants = {
  'with evidence on a claim': (text: string) => ({
    ...valuesNaming(text),
    evidence: {
      read: { [text]: { persistentVolumeClaim: { claimName: text } } },
      write: {
        kind: 'persistentVolumeClaim',
        persistentVolumeClaim: { existingClaim: '', storageClassName: text, size: '1000' },
      },
    },
  }),
  'with an existing claim and a provided certificate': (text: string) => ({
    ...valuesNaming(text),
    certificates: {
      mode: 'provided',
      provided: { secret: text, caBundle: '-----BEGIN CERTIFICATE-----\n' },
    },
    evidence: { write: { kind: 'persistentVolumeClaim', persistentVolumeClaim: { existingClaim: text } } },
  }),
  'with cert-manager': (text: string) => ({
    ...valuesNaming(text),
    certificates: { mode: 'cert-manager', certManager: { issuerRef: { name: text, kind: 'ClusterIssuer' } } },
    evidence: { write: { kind: 'emptyDir', sizeLimit: '1000' } },
  }),
  'with everything by default': valuesNaming,
};

const cases = Object.entries(variants).flatMap(([variant, valuesOf]) =>
  NUMBERS.map((text) => ({ variant, text, valuesOf })),
);

describe('a name that YAML reads as a number', () => {
  it.each(cases)('stays text everywhere: $text, $variant', async ({ text, valuesOf }) => {
    const apis = ['cert-manager.io/v1'];
    const renderNaming = (name: string) => render(valuesOf(name), { apis, name, namespace: name });
    const word = 'a'.repeat(text.length);
    const renamed = (manifests: readonly Manifest[], from: string): unknown =>
      JSON.parse(JSON.stringify(typesOfAll(manifests)).replaceAll(from, 'NAME'));
    expect(renamed(await renderNaming(text), text)).toEqual(renamed(await renderNaming(word), word));
  });

  it.each(['null', 'true', 'on', 'y', '1000'])('stays text as a namespace: %s', async (namespace) => {
    for (const { metadata } of await render({}, { namespace }))
      expect(metadata.namespace ?? namespace).toBe(namespace);
  });
});

describe('the name of the Service', () => {
  const nameOf = async (values: object, name: string): Promise<string> => {
    const manifests = await render(values, { name });
    return at(manifestOf(manifests, 'ValidatingWebhookConfiguration'), 'metadata', 'name') as string;
  };

  it.each(['gate.corp', '1gate', 'gate.', 'Gate'])(
    'is refused as a fullnameOverride that no Service may have: %s',
    async (fullnameOverride) => {
      expect(await refusals({ fullnameOverride })).toEqual([expect.stringContaining('fullnameOverride')]);
    },
  );

  it.each([
    ['1234', 'sailmark-1234'],
    ['3240286e-210077', 'sailmark-3240286e-210077'],
    ['1sailmark', 'sailmark-1sailmark'],
    ['my.gate', 'my-gate-sailmark'],
    ['sailmark.prod', 'sailmark-prod'],
    ['gate', 'gate-sailmark'],
  ])('begins with a letter and has no dots, whatever the release is called: %s', async (release, name) => {
    expect(await nameOf({}, release)).toBe(name);
  });

  it.each([
    [{ nameOverride: 'my.gate' }, 'prod', 'prod-my-gate'],
    [{ nameOverride: 'gate' }, '1234', 'gate-1234'],
    [{ nameOverride: '77' }, '1234', 'sailmark-1234'],
    [{ fullnameOverride: 'gate' }, '1234', 'gate'],
  ])('and whatever the chart is called: %j', async (values, release, name) => {
    expect(await nameOf(values, release)).toBe(name);
  });
});
