import { describe, expect, it } from 'vitest';
import type { ScanResult } from '../../src/scan/index.ts';
import { configMapPath, webhookPath } from '../support/cluster-server.ts';
import { startMirror } from '../support/mirror.ts';
import { injectorWebhooks } from './preflight/injector-webhooks.ts';
import { startScanKit } from './scan-kit.ts';

/** A scan of a cluster whose injector names this tag, for the namespace `shop`. */
const scanInjector = async (
  tag: string,
  configure: (hub: string) => object = () => ({}),
  more: readonly string[] = [],
): Promise<ScanResult> => {
  const mirror = await startMirror();
  const hub = `${mirror.registry.host}/istio`;
  mirror.add({ tag: '1.28.0' });
  mirror.add({ tag: '1.28.1', by: false });
  const kit = await startScanKit({ configuration: { ...mirror.configuration, ...configure(hub) } });
  const { cluster } = kit;
  for (const name of [...more, 'shop'])
    cluster.put(`/api/v1/namespaces/${name}`, {
      metadata: { name, labels: { 'istio-injection': 'enabled' } },
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
  expect(preflight[0]?.message).toMatch(/^signed by ./);
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

it('judges what is injected in every namespace, however many come before the one that refuses it', async () => {
  const namespaces = Array.from({ length: 80 }, (_, index) => `a-${index}`);
  const exempt = (hub: string): object => ({
    exemptions: [
      {
        images: [`${hub}/proxyv2:*`],
        namespaces,
        reason: 'old',
        owner: 'mesh',
        expires: '2099-01-01',
      },
    ],
  });
  const { preflight, coverage } = await scanInjector('1.28.1', exempt, namespaces);
  expect(preflight).toMatchObject([{ status: 'refused', reason: 'signature-missing' }]);
  expect(preflight[0]?.namespaces).toHaveLength(81);
  expect(coverage.cut).toEqual([]);
});

it('says so if namespaces differ in more ways than it judges', async () => {
  const namespaces = Array.from({ length: 60 }, (_, index) => `a-${index}`);
  const exempt = (hub: string): object => ({
    exemptions: namespaces.map((name) => ({
      images: [`${hub}/proxyv2:*`],
      namespaces: [name],
      reason: 'old',
      owner: 'mesh',
      expires: '2099-01-01',
    })),
  });
  const { coverage } = await scanInjector('1.28.1', exempt, namespaces);
  expect(coverage.cut).toEqual([
    'What Istio is configured to use was judged in 50 of 61 namespaces that differ in mode or exemptions.',
  ]);
});

it('asks for each kind once, and for no ConfigMap but those of the injector', async () => {
  const { coverage } = await scanInjector('1.28.0');
  const requests = Object.fromEntries(coverage.resources.map((each) => [each.resource, each.requests]));
  expect(requests['mutatingwebhookconfigurations.admissionregistration.k8s.io']).toBe(1);
  expect(requests['configmaps']).toBe(2);
});

describe('an image that runs by its digest', () => {
  it('has not drifted if the verifier knew the digest before the scan', async () => {
    const mirror = await startMirror();
    const { byDigest, digest } = mirror.add();
    const kit = await startScanKit(mirror);
    const spec = { containers: [{ name: 'istio-proxy', image: byDigest }] };
    const status = { name: 'istio-proxy', imageID: `x.example/y@${digest}`, state: { running: {} } };
    kit.cluster.put('/api/v1/namespaces/shop/pods/cart', {
      metadata: { name: 'cart', namespace: 'shop', uid: '1' },
      spec,
      status: { phase: 'Running', containerStatuses: [status] },
    });
    for (const attempt of [1, 2]) {
      const { drift, images } = await kit.scan();
      expect([attempt, images.length, drift]).toEqual([attempt, 1, []]);
    }
    await mirror.registry.close();
  });
});

it('says nothing is unknown of what it did not get to before it was interrupted', async () => {
  const mirror = await startMirror();
  const { byTag } = mirror.add();
  const kit = await startScanKit(mirror);
  kit.cluster.put('/api/v1/namespaces/shop/pods/cart', {
    metadata: { name: 'cart', namespace: 'shop', uid: '1' },
    spec: { containers: [{ name: 'istio-proxy', image: byTag }] },
  });
  const interrupted = new AbortController();
  const { complete, preflight, drift, summary } = await kit.scan({
    signal: interrupted.signal,
    onProgress: ({ stage }) => {
      if (stage === 'comparing') interrupted.abort();
    },
  });
  expect([complete, preflight, drift]).toEqual([false, [], []]);
  expect([summary.driftUnknown, summary.preflightUnknown]).toEqual([0, 0]);
  await mirror.registry.close();
});
