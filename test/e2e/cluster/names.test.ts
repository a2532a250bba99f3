import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHART, type Cluster, IMAGE, startCluster } from './cluster.ts';

/*
 * Names that YAML reads as numbers, on a real API server: it takes no number for a name, and no Service whose name begins
 * with a digit.
 */

const NAMESPACE = '3240286e-210077';
const RELEASE = '1234';

interface Service {
  readonly spec: { readonly type: string; readonly ports: readonly { readonly name: string }[] };
}

describe('a release and a namespace whose names are numbers', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  it('are installed, upgraded and uninstalled', async () => {
    const at = ['--namespace', NAMESPACE];
    const values = ['--set', `image.repository=${IMAGE}`];
    await cluster.helm('install', RELEASE, CHART, ...at, '--create-namespace', ...values);
    const services = `/api/v1/namespaces/${NAMESPACE}/services`;
    expect((await cluster.api.get<Service>(`${services}/sailmark-1234`)).spec.ports[0]?.name).toBe('https');
    expect((await cluster.api.get<Service>(`${services}/sailmark-1234-metrics`)).spec).toMatchObject({
      type: 'ClusterIP',
      ports: [{ name: 'probes' }],
    });
    await cluster.helm('upgrade', RELEASE, CHART, ...at, ...values, '--set', 'service.type=LoadBalancer');
    expect((await cluster.api.get<Service>(`${services}/sailmark-1234`)).spec.type).toBe('LoadBalancer');
    await cluster.helm('uninstall', RELEASE, ...at);
    expect(await cluster.api.find(`${services}/sailmark-1234`)).toBeUndefined();
  });
});
