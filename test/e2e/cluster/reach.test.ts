import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTls } from '../../support/tls.ts';
import { proxyService } from '../control-plane/kubelet/service-proxy.ts';
import type { Service } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';

/*
 * The ways to reach the webhook besides a call of its Service by the API server: the Service from inside the cluster, a
 * URL for control planes that reach no Service, and a certificate of another issuer.
 */

let cluster: Cluster;
let signed: string;
let unsigned: string;
beforeAll(async () => {
  cluster = await startCluster();
  signed = cluster.publish('proxyv2', '1.24.0');
  unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
  await cluster.install({ mode: 'enforce' });
});
afterAll(() => cluster?.stop());

const tryPod = async (image: string): Promise<number> => {
  const { status } = await cluster.api.tryCreate(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default' },
      spec: { containers: [{ name: 'istio-proxy', image }] },
    },
    '?dryRun=All',
  );
  return status;
};
const untilJudged = async (): Promise<void> => {
  await until('a signed pod is admitted', async () => (await tryPod(signed)) === 201);
  expect(await tryPod(unsigned)).toBe(403);
};
const clientConfigs = async (): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const { webhooks } = await cluster.api.get<{
    readonly webhooks: readonly { readonly clientConfig: Readonly<Record<string, unknown>> }[];
  }>('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/sailmark');
  return webhooks.map(({ clientConfig }) => clientConfig);
};

it('answers `helm test` from inside the cluster', async () => {
  const proxy = await proxyService(cluster.api, NAMESPACE, 'sailmark');
  try {
    const said = await cluster.helm('test', 'sailmark', '--namespace', NAMESPACE, '--timeout', '60s');
    expect(said).toMatch(/Phase: +Succeeded/);
  } finally {
    await proxy.stop();
  }
});

it('is reached by URL, with a certificate for the host of the URL', async () => {
  const path = `/api/v1/namespaces/${NAMESPACE}/services/sailmark`;
  const { spec } = await cluster.api.get<Service>(path);
  const proxy = await proxyService(cluster.api, NAMESPACE, 'sailmark');
  try {
    await cluster.upgrade({ mode: 'enforce', webhook: { url: `https://${spec.clusterIP}` } });
    await untilJudged();
    const urls = (await clientConfigs()).map(({ url, service }) => ({ url, service }));
    expect(urls).toEqual(
      [
        ...['critical/enforce', 'enforce', 'warn', 'audit'].map((mode) => `validate/${mode}`),
        ...['critical/enforce', 'enforce', 'warn'].map((mode) => `workloads/${mode}`),
      ].map((route) => ({
        url: `https://${spec.clusterIP}/${route}`,
        service: undefined,
      })),
    );
  } finally {
    await proxy.stop();
  }
});

it('is reached with a certificate that somebody else issued', async () => {
  const tls = createTls(['sailmark.sailmark.svc']);
  await cluster.api.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'own', namespace: NAMESPACE },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': tls.cert, 'tls.key': tls.key },
  });
  const provided = { mode: 'provided', provided: { secret: 'own', caBundle: tls.ca } };
  // sailmark owned the field caBundle until now: Helm takes it over only with this flag.
  await cluster.upgrade(
    { mode: 'enforce', kubernetes: { events: false, warmUp: '0s' }, certificates: provided },
    '--force-conflicts',
  );
  await untilJudged();
  const bundles = new Set((await clientConfigs()).map(({ caBundle }) => caBundle));
  expect([...bundles]).toEqual([Buffer.from(tls.ca).toString('base64')]);
});
