import { describe, expect, it } from 'vitest';
import { firstOnly, hang, type Json, podPath, refuse, sendBrokenJson } from '../support/cluster-server.ts';
import { startAndConnect, testDeadline } from './connected-cluster.ts';

const podOf = (spec: Json, phase = 'Running'): Json => ({ metadata: {}, spec, status: { phase } });
const oneContainer = (image: string): Json => ({ containers: [{ name: 'main', image }] });

const collect = async (images: AsyncIterable<{ readonly image: string }>): Promise<string[]> => {
  const found: string[] = [];
  for await (const { image } of images) found.push(image);
  return found;
};

describe('the images of pods', () => {
  it('are refused with the rule that listing takes', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = refuse(403, 'no');
    await expect(collect(cluster.podImages(testDeadline()))).rejects.toThrow(
      'GET pods: the API server forbids it; it requires a ClusterRole with the rule {apiGroups: [""], resources: ["pods"], verbs: ["list"]} (no)',
    );
  });

  it('end in a fault where the API server babbles, or says twice that the list is too old', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = sendBrokenJson;
    await expect(collect(cluster.podImages(testDeadline()))).rejects.toMatchObject({ status: 200 });
    server.fault = refuse(410, 'expired');
    await expect(collect(cluster.podImages(testDeadline()))).rejects.toMatchObject({ status: 410 });
  });

  it('end with their signal, without a fault', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = hang;
    expect(await collect(cluster.podImages(testDeadline(100)))).toEqual([]);
    expect(await collect(cluster.podImages(AbortSignal.abort()))).toEqual([]);
  });

  it('are those of every place an image can stand, of pods that have not ended, each text once', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(
      podPath('shop', 'all'),
      podOf({
        initContainers: [{ name: 'a', image: 'init' }],
        containers: [
          { name: 'b', image: 'main' },
          { name: 'c', image: 'init' },
        ],
        ephemeralContainers: [{ name: 'd', image: 'debug' }],
        volumes: [
          { name: 'e', image: { reference: 'volume' } },
          { name: 'f', emptyDir: {} },
        ],
      }),
    );
    server.put(podPath('shop', 'waits'), podOf(oneContainer('waiting'), 'Pending'));
    server.put(podPath('shop', 'done'), podOf(oneContainer('done'), 'Succeeded'));
    server.put(podPath('shop', 'dead'), podOf(oneContainer('dead'), 'Failed'));
    server.put(podPath('other', 'same'), podOf(oneContainer('main')));
    expect(await collect(cluster.podImages(testDeadline()))).toEqual([
      'init',
      'main',
      'debug',
      'volume',
      'waiting',
    ]);
    expect(server.requests.map(({ path, query }) => ({ path, query }))).toEqual([
      {
        path: '/api/v1/pods',
        query: { limit: '500', fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' },
      },
    ]);
  });

  it('leave out ended pods also where the API server lists them, and what is no pod at all', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = (_request, response) => {
      const items = [podOf(oneContainer('dead'), 'Failed'), null, 5, {}, podOf(oneContainer('runs'))];
      response.end(JSON.stringify({ items, metadata: {} }));
      return true;
    };
    expect(await collect(cluster.podImages(testDeadline()))).toEqual(['runs']);
  });

  it('are read page by page', async () => {
    const { server, cluster } = await startAndConnect();
    for (let count = 0; count < 1200; count += 1)
      server.put(podPath('shop', `pod-${count}`), podOf(oneContainer(`image-${count % 700}`)));
    expect(await collect(cluster.podImages(testDeadline()))).toHaveLength(700);
    expect(server.requests.map(({ query }) => query['continue'])).toEqual([undefined, '500', '1000']);
  });

  it('are read from the beginning, once, where the list has grown too old', async () => {
    const { server, cluster } = await startAndConnect();
    for (let count = 0; count < 600; count += 1)
      server.put(podPath('shop', `pod-${count}`), podOf(oneContainer(`image-${count}`)));
    server.fault = firstOnly(1, refuse(410, 'expired'), ({ query }) => query['continue'] !== undefined);
    expect(await collect(cluster.podImages(testDeadline()))).toHaveLength(600);
    expect(server.requests.map(({ query }) => query['continue'])).toEqual([
      undefined,
      '500',
      undefined,
      '500',
    ]);
  });

  it('are given out before the last page is read', async () => {
    const { server, cluster } = await startAndConnect();
    for (let count = 0; count < 501; count += 1)
      server.put(podPath('shop', `pod-${count}`), podOf(oneContainer(`image-${count}`)));
    const images = cluster.podImages(testDeadline())[Symbol.asyncIterator]();
    expect(await images.next()).toEqual({ done: false, value: { image: 'image-0' } });
    expect(server.requests).toHaveLength(1);
  });
});
