import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ClusterRequest, Json } from '../support/cluster-server.ts';
import { refuse } from '../support/cluster-server.ts';
import { startAndConnect, testDeadline } from './connected-cluster.ts';

const rolloutPath = '/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web';

/** Responds as an API server without aggregated discovery does; 503 for what is not in the table. */
const respondWith =
  (bodies: Readonly<Record<string, Json>>) =>
  ({ path }: ClusterRequest, response: ServerResponse): boolean => {
    const body = bodies[path];
    response.writeHead(body === undefined ? 503 : 200).end(JSON.stringify(body ?? { message: 'no' }));
    return true;
  };

describe('the kinds that are served', () => {
  it('are not known if the API server does not say', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = refuse(403, 'no');
    await expect(cluster.discover(testDeadline())).rejects.toThrow(
      'it requires a ClusterRole with the rule {nonResourceURLs: ["/apis"], verbs: ["get"]}',
    );
  });

  it('are none in what is no discovery', async () => {
    const { server, cluster } = await startAndConnect();
    for (const body of [
      {},
      { items: null },
      { items: [null, 5, { versions: [null] }] },
      { groups: [7, {}] },
    ]) {
      server.fault = respondWith({ '/apis': body });
      expect((await cluster.discover(testDeadline())).find('apps', 'deployments')).toBeUndefined();
    }
  });

  it('are found in one request, with the version that the API server prefers', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(rolloutPath, { kind: 'Rollout' });
    const served = await cluster.discover(testDeadline());
    expect(served.find('argoproj.io', 'rollouts')).toEqual({
      group: 'argoproj.io',
      version: 'v1alpha1',
      plural: 'rollouts',
      kind: 'Rollout',
      isNamespaced: true,
    });
    expect(served.find('apps', 'deployments')).toBeUndefined();
    expect(served.unavailable).toEqual([]);
    expect(server.requests.map(({ path }) => path)).toEqual(['/apis']);
  });

  it('are found beside an API service that does not respond', async () => {
    const { server, cluster } = await startAndConnect();
    const resource = { resource: 'rollouts', responseKind: { kind: 'Rollout' }, scope: 'Namespaced' };
    const items = [
      { metadata: { name: 'metrics.k8s.io' }, versions: [{ version: 'v1beta1', freshness: 'Stale' }] },
      {
        metadata: { name: 'argoproj.io' },
        versions: [
          { version: 'v1', freshness: 'Current', resources: [] },
          { version: 'v1alpha1', freshness: 'Current', resources: [resource] },
        ],
      },
    ];
    server.fault = respondWith({ '/apis': { kind: 'APIGroupDiscoveryList', items } });
    const served = await cluster.discover(testDeadline());
    expect(served.unavailable).toEqual(['metrics.k8s.io/v1beta1']);
    expect(served.find('argoproj.io', 'rollouts')?.version).toBe('v1alpha1');
  });

  it('are found group by group where the API server is older', async () => {
    const { server, cluster } = await startAndConnect();
    const versions = [{ version: 'v1' }, { version: 'v1alpha1' }];
    const resources = [
      { name: 'rollouts', kind: 'Rollout', namespaced: true },
      { name: 'rollouts/status', kind: 'Rollout', namespaced: true },
    ];
    server.fault = respondWith({
      '/apis': {
        kind: 'APIGroupList',
        groups: [
          { name: 'metrics.k8s.io', versions: [{ version: 'v1beta1' }] },
          { name: 'argoproj.io', versions, preferredVersion: { version: 'v1alpha1' } },
        ],
      },
      '/apis/argoproj.io/v1': { kind: 'APIResourceList', resources },
      '/apis/argoproj.io/v1alpha1': { kind: 'APIResourceList', resources },
    });
    const served = await cluster.discover(testDeadline());
    expect(served.unavailable).toEqual(['metrics.k8s.io/v1beta1']);
    expect(served.find('argoproj.io', 'rollouts')?.version).toBe('v1alpha1');
    expect(served.find('argoproj.io', 'rollouts/status')).toBeUndefined();
  });
});

describe('the version of the API server', () => {
  it('is unknown, or as it says', async () => {
    const { server, cluster } = await startAndConnect({ userAgent: 'sailmark/1.2.3' });
    server.fault = respondWith({ '/version': { gitVersion: null } });
    expect(await cluster.serverVersion(testDeadline())).toBeUndefined();
    let userAgent: string | undefined;
    server.fault = (request, response) => {
      userAgent = response.req.headers['user-agent'];
      return respondWith({ '/version': { gitVersion: 'v1.36.3' } })(request, response);
    };
    expect(await cluster.serverVersion(testDeadline())).toBe('v1.36.3');
    expect(userAgent).toBe('sailmark/1.2.3');
  });
});
