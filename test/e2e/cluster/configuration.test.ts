import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True');

describe('a configuration that cannot be read', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.install({ mode: 'enforce' });
    await cluster.createNamespace('shop');
  });
  afterAll(() => cluster?.stop());

  const list = async <Item>(path: string): Promise<readonly Item[]> =>
    ((await cluster.api.get(path)) as { readonly items: readonly Item[] }).items;
  const ready = async (): Promise<readonly string[]> =>
    (await list<Pod>(`/api/v1/namespaces/${NAMESPACE}/pods`))
      .filter(isReady)
      .map(({ metadata }) => metadata.name);

  it('stops its rollout and nothing else: the replicas before it go on, and come back where one is lost', async () => {
    const before = await ready();
    expect(before).toHaveLength(2);
    await expect(
      cluster.upgrade({ mode: 'enforce', config: { keys: [{ inline: 'no key' }] } }, '--timeout', '15s'),
    ).rejects.toThrow(/key|ready|deadline|timed out/i);
    expect(await ready()).toEqual(before);
    const [lost = ''] = before;
    await cluster.api.remove(`/api/v1/namespaces/${NAMESPACE}/pods/${lost}`);
    await until('another replica with the configuration before', async () => {
      const now = await ready();
      return now.length === 2 && !now.includes(lost);
    });
  });

  it('is gone with the next one that can be, and leaves no object behind', async () => {
    const objects = async (): Promise<readonly string[]> =>
      (await list<Pod>(`/api/v1/namespaces/${NAMESPACE}/configmaps`)).map(({ metadata }) => metadata.name);
    const before = await objects();
    await cluster.upgrade({ mode: 'enforce', config: { tagMemory: '11s' } });
    await cluster.upgrade({ mode: 'enforce', config: { tagMemory: '12s' } });
    expect(await objects()).toEqual(before);
    expect(await ready()).toHaveLength(2);
  });
});
