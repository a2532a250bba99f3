import { describe, expect, it } from 'vitest';
import type { ListPage } from '../../src/kubernetes/cluster.ts';
import { firstOnly, type Json, podPath, refuse } from '../support/cluster-server.ts';
import { startAndConnect, testDeadline } from './connected-cluster.ts';

const PODS = { group: '', plural: 'pods' };

const collect = async (pages: AsyncIterable<ListPage>): Promise<ListPage[]> => {
  const found: ListPage[] = [];
  for await (const page of pages) found.push(page);
  return found;
};

const namesOf = (pages: readonly ListPage[]): readonly unknown[] =>
  pages.flatMap(({ items }) => items.map(({ metadata }) => (metadata as Json)['name']));

const startWithPods = async (count: number, padding = '') => {
  const { server, cluster } = await startAndConnect();
  for (let index = 0; index < count; index += 1)
    server.put(podPath('shop', `pod-${index}`), { metadata: { uid: `uid-${index}` }, padding });
  return { server, cluster };
};

describe('a list of objects', () => {
  it('is refused with the rule that it takes, in the group and namespace that it is about', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = refuse(403, 'no');
    const resource = { group: 'argoproj.io', version: 'v1alpha1', plural: 'rollouts', namespace: 'shop' };
    await expect(collect(cluster.list(resource, {}, testDeadline()))).rejects.toThrow(
      'GET rollouts shop: the API server forbids it; it requires a Role in the namespace shop with the rule {apiGroups: ["argoproj.io"], resources: ["rollouts"], verbs: ["list"]} (no)',
    );
    expect(server.requests[0]?.path).toBe('/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts');
  });

  it('ends in a fault if one object is longer than a page may be, or its signal ends', async () => {
    const { server, cluster } = await startWithPods(3, 'x'.repeat(2_000));
    await expect(collect(cluster.list(PODS, { pageBytes: 1_000 }, testDeadline()))).rejects.toThrow(
      'the response is longer than 1000 bytes',
    );
    expect(server.requests.map(({ query }) => query['limit'])).toEqual(['500', '125', '32', '8', '2', '1']);
    await expect(collect(cluster.list(PODS, {}, AbortSignal.abort()))).rejects.toThrow('aborted');
  });

  it('ends in a fault if it expires again and again', async () => {
    const { server, cluster } = await startWithPods(3);
    server.fault = refuse(410, 'expired');
    await expect(collect(cluster.list(PODS, {}, testDeadline()))).rejects.toMatchObject({ status: 410 });
    expect(server.requests).toHaveLength(4);
  });

  it('leaves out what is no object', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = (_request, response) => {
      response.end(JSON.stringify({ metadata: null, items: [null, 5, [], { metadata: { name: 'a' } }] }));
      return true;
    };
    const pages = await collect(cluster.list(PODS, {}, testDeadline()));
    expect(pages).toEqual([{ items: [{ metadata: { name: 'a' } }], remaining: 0, requests: 1 }]);
    server.fault = (_request, response) => {
      response.end(JSON.stringify({ items: null }));
      return true;
    };
    expect(namesOf(await collect(cluster.list(PODS, {}, testDeadline())))).toEqual([]);
  });

  it('comes in pages of 500, each with the number of objects that follow, in no more requests than pages', async () => {
    const { server, cluster } = await startWithPods(1_100);
    const pages = await collect(cluster.list(PODS, {}, testDeadline()));
    expect(pages.map(({ items, remaining, requests }) => [items.length, remaining, requests])).toEqual([
      [500, 600, 1],
      [500, 100, 1],
      [100, 0, 1],
    ]);
    expect(new Set(namesOf(pages)).size).toBe(1_100);
    expect(server.requests).toHaveLength(3);
    expect(cluster.requestCount()).toBe(3);
  });

  it('is read in smaller pages where one is too long, and in larger ones again afterwards', async () => {
    const { server, cluster } = await startWithPods(40, 'x'.repeat(1_000));
    const pages = await collect(cluster.list(PODS, { pageSize: 16, pageBytes: 10_000 }, testDeadline()));
    expect(new Set(namesOf(pages)).size).toBe(40);
    expect(namesOf(pages)).toHaveLength(40);
    expect(pages.reduce((sum, { requests }) => sum + requests, 0)).toBe(server.requests.length);
    expect(server.requests.slice(0, 4).map(({ query }) => query['limit'])).toEqual(['16', '4', '16', '4']);
  });

  it('begins again where it has expired, with each object once', async () => {
    const { server, cluster } = await startWithPods(600);
    server.fault = firstOnly(1, refuse(410, 'expired'), ({ query }) => query['continue'] !== undefined);
    const pages = await collect(cluster.list(PODS, {}, testDeadline()));
    expect(namesOf(pages)).toHaveLength(600);
    expect(new Set(namesOf(pages)).size).toBe(600);
    expect(server.requests.map(({ query }) => query['continue'])).toEqual([
      undefined,
      '500',
      undefined,
      '500',
    ]);
  });

  it('goes on with the token that the API server returns for a list that has expired', async () => {
    const { server, cluster } = await startWithPods(600);
    server.fault = firstOnly(
      1,
      (_request, response) => {
        response
          .writeHead(410)
          .end(JSON.stringify({ kind: 'Status', code: 410, metadata: { continue: '500' } }));
        return true;
      },
      ({ query }) => query['continue'] !== undefined,
    );
    expect(namesOf(await collect(cluster.list(PODS, {}, testDeadline())))).toHaveLength(600);
    expect(server.requests.map(({ query }) => query['continue'])).toEqual([undefined, '500', '500']);
  });
});

describe('one object', () => {
  it('is refused, absent or returned', async () => {
    const { server, cluster } = await startWithPods(1);
    const resource = { ...PODS, namespace: 'shop', name: 'pod-0' };
    expect(await cluster.get({ ...resource, name: 'none' }, testDeadline())).toBeUndefined();
    expect(await cluster.get(resource, testDeadline())).toMatchObject({ metadata: { uid: 'uid-0' } });
    server.fault = refuse(403, 'no');
    await expect(cluster.get(resource, testDeadline())).rejects.toMatchObject({ status: 403 });
  });
});
