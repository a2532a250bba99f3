import { describe, expect, it, vi } from 'vitest';
import { hang, refuse, secretOf, secretPath } from '../support/cluster-server.ts';
import { connectTo, startAndConnect } from './connected-cluster.ts';

const PATH = secretPath('shop', 'pull');
const TEXT = '{"auths":{}}';
const reads = (requests: readonly { readonly path: string }[]): number =>
  requests.filter(({ path }) => path === PATH).length;

describe('a pull secret', () => {
  it('is a fault where it could never be read, which is not tried with every request', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = refuse(403, 'no');
    for (let count = 0; count < 3; count += 1)
      await expect(cluster.find('shop', 'pull')).rejects.toThrow(
        'it requires a Role in the namespace shop with the rule {apiGroups: [""], resources: ["secrets"], resourceNames: ["pull"], verbs: ["get"]}',
      );
    expect(reads(server.requests)).toBe(1);
  });

  it('is undefined where there is none, or it holds something else', async () => {
    const { server, cluster } = await startAndConnect();
    expect(await cluster.find('shop', 'pull')).toBeUndefined();
    server.put(secretPath('shop', 'other'), secretOf({ password: 'x' }));
    expect(await cluster.find('shop', 'other')).toBeUndefined();
  });

  it.each(['.dockerconfigjson', '.dockercfg'])('is the text of %s', async (key) => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({ [key]: TEXT }));
    expect(await cluster.find('shop', 'pull')).toBe(TEXT);
  });

  it('is the text that is not empty, as the kubelet reads it', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({ '.dockerconfigjson': '', '.dockercfg': '{"r.example":{}}' }));
    expect(await cluster.find('shop', 'pull')).toBe('{"r.example":{}}');
    server.put(secretPath('shop', 'empty'), secretOf({ '.dockerconfigjson': '' }));
    expect(await cluster.find('shop', 'empty')).toBe('');
  });

  it('is read once for all who ask at once, and from memory after that', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({ '.dockerconfigjson': TEXT }));
    const find = (): Promise<string | undefined> => cluster.find('shop', 'pull');
    expect(await Promise.all([find(), find(), find()])).toEqual([TEXT, TEXT, TEXT]);
    expect(await find()).toBe(TEXT);
    expect(reads(server.requests)).toBe(1);
  });

  it('is read again beside the requests: changed, deleted, there again', async () => {
    const { server, cluster } = await startAndConnect({ refresh: 20 });
    server.put(PATH, secretOf({ '.dockerconfigjson': TEXT }));
    expect(await cluster.find('shop', 'pull')).toBe(TEXT);
    server.put(PATH, secretOf({ '.dockerconfigjson': 'changed' }));
    await vi.waitFor(async () => expect(await cluster.find('shop', 'pull')).toBe('changed'));
    server.delete(PATH);
    await vi.waitFor(async () => expect(await cluster.find('shop', 'pull')).toBeUndefined());
    server.put(PATH, secretOf({ '.dockerconfigjson': 'again' }));
    await vi.waitFor(async () => expect(await cluster.find('shop', 'pull')).toBe('again'));
  });

  it('is what it last was while the API fails or hangs, and nobody waits', async () => {
    const { server, cluster } = await startAndConnect({ refresh: 20, requestTimeout: 50 });
    server.put(PATH, secretOf({ '.dockerconfigjson': TEXT }));
    await cluster.find('shop', 'pull');
    for (const trouble of [refuse(500, 'down'), refuse(403, 'no'), hang]) {
      server.fault = trouble;
      server.clearRequests();
      await vi.waitFor(() => expect(reads(server.requests)).toBeGreaterThan(1));
      expect(await cluster.find('shop', 'pull')).toBe(TEXT);
    }
  });

  it('is no longer read once the cluster is closed', async () => {
    const { server, cluster } = await startAndConnect({ refresh: 10 });
    const other = await connectTo(server, { refresh: 10 });
    await cluster.find('shop', 'pull');
    await other.find('shop', 'other');
    let wasAborted = false;
    // Reads are sequential: while the server delays one, no other is in flight.
    server.fault = ({ path }, response) => {
      response.on('close', () => {
        wasAborted ||= path === PATH && !response.writableEnded;
      });
      return path === PATH;
    };
    server.clearRequests();
    await vi.waitFor(() => expect(reads(server.requests)).toBe(1));
    await cluster.close();
    await vi.waitFor(() => expect(wasAborted).toBe(true));
    server.clearRequests();
    const others = (): number => server.requests.filter(({ path }) => path !== PATH).length;
    await vi.waitFor(() => expect(others()).toBeGreaterThan(5));
    expect(reads(server.requests)).toBe(0);
  });
});
