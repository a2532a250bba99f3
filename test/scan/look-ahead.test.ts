import { expect, it } from 'vitest';
import type { ScanResult } from '../../src/scan/index.ts';
import { configMapPath, webhookPath } from '../support/cluster-server.ts';
import { startMirror } from '../support/mirror.ts';
import { injectorWebhooks } from './preflight/injector-webhooks.ts';
import { startScanKit } from './scan-kit.ts';

/** A scan of a cluster whose injector names this tag, for the namespace `shop`. */
const scanInjector = async (
  tag: string,
  configure: (hub: string) => object = () => ({}),
): Promise<ScanResult> => {
  const mirror = await startMirror();
  const hub = `${mirror.registry.host}/istio`;
  mirror.add({ tag: '1.28.0' });
  mirror.add({ tag: '1.28.1', by: false });
  const kit = await startScanKit({ configuration: { ...mirror.configuration, ...configure(hub) } });
  const { cluster } = kit;
  cluster.put('/api/v1/namespaces/shop', {
    metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } },
  });
  cluster.put('/api/v1/namespaces/quiet', { metadata: { name: 'quiet' } });
  cluster.put(webhookPath('istio-sidecar-injector', 'mutating'), injectorWebhooks('default'));
  cluster.put(configMapPath('istio-system', 'istio-sidecar-injector'), {
    metadata: { name: 'istio-sidecar-injector', namespace: 'istio-system' },
    data: {
      values: JSON.stringify({ global: { hub, tag } }),
      config:
        'templates:\n  sidecar: |\n    containers:\n    - name: istio-proxy\n      image: "{{ .ProxyImage }}"\n',
    },
  });
  const result = await kit.scan();
  await mirror.registry.close();
  return result;
};

it('names the image that an injector is set to as admission would, though no pod has it yet', async () => {
  const { preflight, summary, images } = await scanInjector('1.28.1');
  expect(images).toEqual([]);
  expect(preflight).toMatchObject([
    {
      source: 'ConfigMap istio-system/istio-sidecar-injector',
      path: 'data.values.global.hub',
      status: 'refused',
      reason: 'signature-missing',
      namespaces: ['shop'],
    },
  ]);
  expect(preflight[0]?.message).toContain('signature-missing');
  expect([summary.preflightRefused, summary.preflightUnknown]).toEqual([1, 0]);
});

it('says of a configured version what is going to matter, and of a signed image nothing else', async () => {
  const { preflight, notices } = await scanInjector('1.28.0');
  expect(preflight).toMatchObject([{ status: 'verified', reason: null }]);
  expect(notices.map(({ kind, subject }) => [kind, subject])).toEqual([['version-unsupported', '1.28']]);
});

it('lets an exemption lift what is refused, where it is for the namespace', async () => {
  const at = async (namespace: string, tag: string): Promise<readonly string[]> => {
    const { preflight, notices } = await scanInjector('1.28.1', (hub) => {
      const of = { reason: 'old', owner: 'mesh', expires: '2099-01-01' };
      return { exemptions: [{ ...of, images: [`${hub}/proxyv2:${tag}`], namespaces: [namespace] }] };
    });
    return [...preflight.map(({ status }) => status), ...notices.map(({ kind }) => kind)];
  };
  expect(await at('quiet', '1.28.1')).toEqual(['refused', 'version-unsupported', 'exemption-unused']);
  expect(await at('shop', '1.10.*')).toEqual(['refused', 'version-unsupported', 'exemption-unused']);
  expect(await at('shop', '1.28.*')).toEqual(['exempt', 'version-unsupported']);
});

it('asks for each kind once, and for no ConfigMap but those of the injector', async () => {
  const { coverage } = await scanInjector('1.28.0');
  const requests = Object.fromEntries(coverage.resources.map((each) => [each.resource, each.requests]));
  expect(requests['mutatingwebhookconfigurations.admissionregistration.k8s.io']).toBe(1);
  expect(requests['configmaps']).toBe(2);
});
