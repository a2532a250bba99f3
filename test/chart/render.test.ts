import { describe, expect, it } from 'vitest';
import { exampleValues } from './example-values.ts';
import { at, helm, manifestOf, namesOf, render } from './helm.ts';

describe('the chart', () => {
  it('passes helm lint, strictly', async () => {
    const { code, stdout } = await helm(['lint', '--strict', 'charts/sailmark']);
    expect({ code, faults: stdout.split('\n').filter((line) => /WARNING|ERROR/.test(line)) }).toEqual({
      code: 0,
      faults: [],
    });
  });

  it('renders these objects with no values, and no others', async () => {
    expect(namesOf(await render()).toSorted()).toEqual(
      [
        'ClusterRole sailmark',
        'ClusterRoleBinding sailmark',
        'ConfigMap sailmark/sailmark-evidence-0',
        'ConfigMap sailmark/sailmark-evidence-1',
        'ConfigMap sailmark/sailmark-evidence-2',
        'ConfigMap sailmark/sailmark-evidence-3',
        'ConfigMap sailmark/sailmark-evidence-tags',
        'Deployment sailmark/sailmark',
        'MutatingWebhookConfiguration zz-sailmark',
        'Pod sailmark/sailmark-check',
        'PodDisruptionBudget sailmark/sailmark',
        'Role sailmark/sailmark',
        'Role sailmark/sailmark-evidence',
        'RoleBinding sailmark/sailmark',
        'RoleBinding sailmark/sailmark-evidence',
        'Secret sailmark/sailmark-certificates',
        'Service sailmark/sailmark',
        'Service sailmark/sailmark-metrics',
        'ServiceAccount sailmark/sailmark',
        'ValidatingWebhookConfiguration sailmark',
      ].toSorted(),
    );
  });

  it.each(exampleValues)(
    'renders the same objects each time, each once, all with our labels: $name',
    async ({ values, release }) => {
      const manifests = await render(values, release);
      expect(await render(values, release)).toEqual(manifests);
      const names = manifests.map(({ apiVersion }, index) => `${apiVersion} ${namesOf(manifests)[index]}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of manifests)
        expect(metadata.labels).toMatchObject({
          'app.kubernetes.io/name': 'sailmark',
          'app.kubernetes.io/instance': release?.name ?? 'sailmark',
        });
    },
  );

  it('names everything after the release, or as it is told', async () => {
    const other = namesOf(await render({}, { name: 'gate', namespace: 'platform' }));
    expect(other.filter((name) => !/ (?:platform\/|zz-)?gate-sailmark(?:$|-)/.test(name))).toEqual([]);
    const overridden = namesOf(await render({ fullnameOverride: 'gate' }));
    expect(overridden.filter((name) => !/ (?:sailmark\/|zz-)?gate(?:$|-)/.test(name))).toEqual([]);
  });

  it('puts common labels and annotations on every object, and lets none replace what selects', async () => {
    const manifests = await render({
      commonLabels: { team: 'platform', 'app.kubernetes.io/name': 'stolen' },
      commonAnnotations: { owner: 'platform' },
    });
    for (const { kind, metadata } of manifests.filter((manifest) => manifest.kind !== 'Pod')) {
      expect([kind, metadata.labels?.['team'], metadata.labels?.['app.kubernetes.io/name']]).toEqual([
        kind,
        'platform',
        'sailmark',
      ]);
      expect([kind, metadata.annotations?.['owner']]).toEqual([kind, 'platform']);
    }
  });

  it('selects its own pods alone: not the one of helm test', async () => {
    const manifests = await render();
    const selector = at(manifestOf(manifests, 'Service', 'sailmark'), 'spec', 'selector');
    expect(at(manifestOf(manifests, 'Deployment'), 'spec', 'selector', 'matchLabels')).toEqual(selector);
    expect(at(manifestOf(manifests, 'PodDisruptionBudget'), 'spec', 'selector', 'matchLabels')).toEqual(
      selector,
    );
    expect(at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'metadata', 'labels')).toMatchObject(
      selector as object,
    );
    expect(manifestOf(manifests, 'Pod').metadata.labels).not.toMatchObject(selector as object);
  });

  it('leaves out what it is told to', async () => {
    const names = namesOf(
      await render({
        rbac: { create: false },
        podDisruptionBudget: { enabled: false },
        serviceAccount: { create: false, name: 'mine' },
      }),
    );
    expect(names.filter((name) => /Role|Budget|ServiceAccount/.test(name))).toEqual([]);
  });
});

describe('the Secret for certificates', () => {
  it('is made without data, so that no upgrade takes away what sailmark wrote', async () => {
    const secret = manifestOf(await render(), 'Secret');
    expect(Object.keys(secret).toSorted()).toEqual(['apiVersion', 'kind', 'metadata', 'type']);
  });

  it('is left to who else makes it', async () => {
    const managed = await render(
      { certificates: { mode: 'cert-manager' } },
      { apis: ['cert-manager.io/v1'] },
    );
    expect(namesOf(managed).filter((name) => /^(?:Secret|Issuer|Certificate) /.test(name))).toEqual([
      'Certificate sailmark/sailmark-ca',
      'Certificate sailmark/sailmark',
      'Issuer sailmark/sailmark-root',
      'Issuer sailmark/sailmark',
    ]);
    const provided = {
      mode: 'provided',
      provided: { secret: 'serving', caBundle: '-----BEGIN CERTIFICATE-----' },
    };
    expect(
      namesOf(await render({ certificates: provided })).filter((name) => name.startsWith('Secret ')),
    ).toEqual([]);
  });
});

describe('cert-manager', () => {
  it('issues for the Service and for the host of a URL, and has its CA injected', async () => {
    const values = {
      certificates: {
        mode: 'cert-manager',
        certManager: { issuerRef: { name: 'corp', kind: 'ClusterIssuer' } },
      },
    };
    const apis = { apis: ['cert-manager.io/v1'] };
    const manifests = await render({ ...values, webhook: { url: 'https://10.0.0.1:8443' } }, apis);
    expect(at(manifestOf(manifests, 'Certificate'), 'spec')).toMatchObject({
      secretName: 'sailmark-cert-manager',
      dnsNames: ['sailmark.sailmark.svc', 'sailmark.sailmark.svc.cluster.local'],
      ipAddresses: ['10.0.0.1'],
      issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'corp' },
    });
    expect(manifestOf(manifests, 'ValidatingWebhookConfiguration').metadata.annotations).toEqual({
      'cert-manager.io/inject-ca-from': 'sailmark/sailmark',
      'sailmark.dev/rules-when-ready': expect.any(String),
    });
    const named = await render({ ...values, webhook: { url: 'https://gate.corp.example' } }, apis);
    expect(at(manifestOf(named, 'Certificate'), 'spec', 'dnsNames')).toContain('gate.corp.example');
  });
});

describe('the network policy', () => {
  it('lets the API server in from anywhere, and out to DNS, registries and the API server alone', async () => {
    const values = {
      networkPolicy: { enabled: true },
      config: {
        mirrors: [{ mirror: 'registry.corp.example:5000/istio', of: 'docker.io/istio' }],
        registries: [{ host: 'plain.corp.example', plainHTTP: true }],
        keys: [{ url: 'https://keys.corp.example:8443/key.pub' }],
      },
    };
    const policy = manifestOf(await render(values), 'NetworkPolicy');
    expect(at(policy, 'spec', 'ingress')).toEqual([
      { ports: [{ port: 'https', protocol: 'TCP' }] },
      { ports: [{ port: 'probes', protocol: 'TCP' }] },
    ]);
    const out = at(policy, 'spec', 'egress', 1, 'ports') as readonly { readonly port: number }[];
    expect(out.map(({ port }) => port).toSorted((one, other) => one - other)).toEqual([
      80, 443, 5000, 6443, 8443,
    ]);
  });

  it('lets nothing out to the API server where nothing is asked of it', async () => {
    const policy = manifestOf(
      await render({
        networkPolicy: { enabled: true, apiServerPorts: [16443] },
        kubernetes: { events: false, warmUp: '0s' },
        evidence: { write: { kind: 'none' } },
        webhook: { activation: 'immediate' },
        certificates: {
          mode: 'provided',
          provided: { secret: 'serving', caBundle: '-----BEGIN CERTIFICATE-----' },
        },
      }),
      'NetworkPolicy',
    );
    expect(JSON.stringify(policy)).not.toContain('16443');
  });
});
