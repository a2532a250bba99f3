import { describe, expect, it } from 'vitest';
import { at, type Manifest, manifestOf, render } from './helm.ts';

const portsOf = (manifests: readonly Manifest[], name: string): readonly string[] =>
  (at(manifestOf(manifests, 'Service', name), 'spec', 'ports') as readonly { readonly name: string }[]).map(
    (port) => port.name,
  );

/** True if a Service, a monitor or a Deployment selects an object with these labels. */
const selects = (selector: unknown, labels: unknown): boolean =>
  Object.entries(selector as Readonly<Record<string, string>>).every(
    ([key, value]) => at(labels, key) === value,
  );

describe('the Services', () => {
  it.each(['ClusterIP', 'NodePort', 'LoadBalancer'])(
    'keep probes and metrics, which are plain HTTP, inside the cluster: %s',
    async (type) => {
      const annotations = { 'service.beta.kubernetes.io/aws-load-balancer-internal': 'true' };
      const manifests = await render({ service: { type, annotations } });
      const [own, metrics] = ['sailmark', 'sailmark-metrics'].map((name) =>
        manifestOf(manifests, 'Service', name),
      );
      expect([at(own, 'spec', 'type'), portsOf(manifests, 'sailmark')]).toEqual([type, ['https']]);
      expect([at(metrics, 'spec', 'type'), portsOf(manifests, 'sailmark-metrics')]).toEqual([
        'ClusterIP',
        ['probes'],
      ]);
      expect(metrics?.metadata).not.toHaveProperty('annotations');
    },
  );

  it('have the cluster’s IP families, or those of the values', async () => {
    const service = { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] };
    for (const name of ['sailmark', 'sailmark-metrics']) {
      expect(at(manifestOf(await render({ service }), 'Service', name), 'spec')).toMatchObject(service);
      expect(manifestOf(await render(), 'Service', name)['spec']).not.toHaveProperty('ipFamilies');
    }
  });

  it('do not keep a port of the webhook from being that of the probes', async () => {
    const manifests = await render({ service: { port: 8081 } });
    expect(at(manifestOf(manifests, 'Service', 'sailmark'), 'spec', 'ports', 0, 'port')).toBe(8081);
  });
});

describe('the monitors', () => {
  const settings = {
    enabled: true,
    namespace: 'monitoring',
    interval: '1m',
    scrapeTimeout: '10s',
    labels: { release: 'prometheus' },
    relabelings: [{ action: 'labeldrop', regex: 'pod' }],
    metricRelabelings: [{ action: 'drop', regex: 'node_.*', sourceLabels: ['__name__'] }],
  };
  const endpoint = {
    port: 'probes',
    path: '/metrics',
    interval: '1m',
    scrapeTimeout: '10s',
    relabelings: settings.relabelings,
    metricRelabelings: settings.metricRelabelings,
  };

  it('are none by default', async () => {
    expect((await render()).filter(({ kind }) => kind.endsWith('Monitor'))).toEqual([]);
  });

  it('scrape the Service alone that has the metrics, from whatever namespace', async () => {
    const manifests = await render({ metrics: { serviceMonitor: settings } });
    const monitor = manifestOf(manifests, 'ServiceMonitor');
    expect([monitor.metadata.namespace, monitor.metadata.labels?.['release']]).toEqual([
      'monitoring',
      'prometheus',
    ]);
    expect(monitor['spec']).toMatchObject({
      namespaceSelector: { matchNames: ['sailmark'] },
      endpoints: [endpoint],
    });
    const selected = manifests.filter(
      ({ kind, metadata }) =>
        kind === 'Service' && selects(at(monitor, 'spec', 'selector', 'matchLabels'), metadata.labels),
    );
    expect(selected.map(({ metadata }) => metadata.name)).toEqual(['sailmark-metrics']);
  });

  it('scrape the pods of the webhook, and not that of helm test', async () => {
    const manifests = await render({ metrics: { podMonitor: settings } });
    const monitor = manifestOf(manifests, 'PodMonitor');
    expect(monitor['spec']).toMatchObject({
      namespaceSelector: { matchNames: ['sailmark'] },
      podMetricsEndpoints: [endpoint],
    });
    const selector = at(monitor, 'spec', 'selector', 'matchLabels');
    const labels = at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'metadata', 'labels');
    expect([
      selects(selector, labels),
      selects(selector, manifestOf(manifests, 'Pod').metadata.labels),
    ]).toEqual([true, false]);
  });

  it('say nothing of what the values do not say', async () => {
    const manifests = await render({
      metrics: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } },
    });
    const plain = [{ port: 'probes', path: '/metrics', interval: '30s' }];
    expect(at(manifestOf(manifests, 'ServiceMonitor'), 'spec', 'endpoints')).toEqual(plain);
    expect(at(manifestOf(manifests, 'PodMonitor'), 'spec', 'podMetricsEndpoints')).toEqual(plain);
    expect(manifestOf(manifests, 'PodMonitor').metadata.namespace).toBe('sailmark');
  });
});
