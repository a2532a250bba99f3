import { describe, expect, it } from 'vitest';
import type { SharedContent, SharedObject } from '../../src/registry/index.ts';
import { configMapPath, refuse, reset, type TestCluster } from '../support/cluster-server.ts';
import { startAndConnect, testDeadline } from './connected-cluster.ts';

const PATH = configMapPath('sailmark', 'evidence-0');

const put = (server: TestCluster, data?: Record<string, string>): void =>
  server.put(PATH, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { labels: { app: 'x' } }, data });

const open = async (): Promise<{ readonly server: TestCluster; readonly object: SharedObject }> => {
  const { server, cluster } = await startAndConnect();
  return { server, object: cluster.configMap('sailmark', 'evidence-0') };
};

const readData = async (object: SharedObject): Promise<SharedContent['data'] | undefined> =>
  (await object.read(testDeadline()))?.data;

/** Watches from the current version. Resolves with the first `count` contents, or all if the watch ends before. */
const watch = async (object: SharedObject, count: number): Promise<readonly SharedContent['data'][]> => {
  const { version = '0' } = (await object.read(testDeadline())) ?? {};
  const seen: SharedContent['data'][] = [];
  for await (const content of object.watch(version, testDeadline())) {
    seen.push(content?.data ?? { deleted: 'true' });
    if (seen.length === count) break;
  }
  return seen;
};

describe('changing a ConfigMap', () => {
  it('is a conflict where another client wrote it since it was read, and changes nothing', async () => {
    const { server, object } = await open();
    put(server, { a: '1' });
    const read = await object.read(testDeadline());
    put(server, { a: '2' });
    expect(await object.change(read?.version ?? '', { a: '3' }, testDeadline())).toBe('conflict');
    expect(await readData(object)).toEqual({ a: '2' });
  });

  it('is a conflict where the ConfigMap is gone, which is not created again', async () => {
    const { server, object } = await open();
    expect(await object.read(testDeadline())).toBeUndefined();
    expect(await object.change('1', { a: '3' }, testDeadline())).toBe('conflict');
    expect(server.get(PATH)).toBeUndefined();
  });

  it('sets and removes keys, and leaves everything else as it was', async () => {
    const { server, object } = await open();
    put(server, { stays: '1', changes: '2', goes: '3' });
    const { version = '' } = (await object.read(testDeadline())) ?? {};
    const after = await object.change(version, { changes: '4', goes: null, comes: '5' }, testDeadline());
    expect(after).toEqual({ version: expect.any(String), data: { stays: '1', changes: '4', comes: '5' } });
    expect(server.get(PATH)).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        namespace: 'sailmark',
        name: 'evidence-0',
        labels: { app: 'x' },
        resourceVersion: expect.any(String),
      },
      data: { stays: '1', changes: '4', comes: '5' },
    });
  });

  it('fills one that was created without data', async () => {
    const { server, object } = await open();
    put(server);
    const read = await object.read(testDeadline());
    expect(read?.data).toEqual({});
    await object.change(read?.version ?? '', { a: '1' }, testDeadline());
    expect(await readData(object)).toEqual({ a: '1' });
  });
});

describe('watching a ConfigMap', () => {
  it('fails with the rule that is missing where the API server forbids it', async () => {
    const { server, object } = await open();
    put(server);
    server.fault = (request, response) =>
      request.query['watch'] === 'true' && refuse(403, 'no')(request, response);
    await expect(watch(object, 1)).rejects.toThrow(
      'WATCH configmaps sailmark/evidence-0: the API server forbids it; it requires a Role in the namespace sailmark with the rule {apiGroups: [""], resources: ["configmaps"], resourceNames: ["evidence-0"], verbs: ["watch"]} (no)',
    );
  });

  it.each([
    ['is no JSON', '{"type":"MODI'],
    ['is no event', '{"type":"NONSENSE","object":{}}'],
    ['has no version', '{"type":"MODIFIED","object":{"data":{"a":"1"}}}'],
    ['is a fault', '{"type":"ERROR","object":{"kind":"Status","code":500}}'],
  ])('fails where an event %s', async (_, line) => {
    const { server, object } = await open();
    put(server);
    server.fault = ({ query }, response) => {
      if (query['watch'] !== 'true') return false;
      response.writeHead(200).end(`${line}\n`);
      return true;
    };
    await expect(watch(object, 1)).rejects.toThrow('WATCH configmaps sailmark/evidence-0');
  });

  it('fails where the connection is lost', async () => {
    const { server, object } = await open();
    put(server);
    server.fault = (request, response) => request.query['watch'] === 'true' && reset(request, response);
    await expect(watch(object, 1)).rejects.toThrow('no connection to the API server');
  });

  it('ends where the API server ends it, and where the version is too old', async () => {
    const { server, object } = await open();
    put(server);
    server.fault = ({ query }, response) => {
      if (query['watch'] !== 'true') return false;
      response.writeHead(200).end('{"type":"ERROR","object":{"kind":"Status","code":410}}\n');
      return true;
    };
    expect(await watch(object, 1)).toEqual([]);
    server.fault = ({ query }) => {
      if (query['watch'] === 'true') setImmediate(server.endWatches);
      return false;
    };
    expect(await watch(object, 1)).toEqual([]);
  });

  it('yields each change since the version, and the deletion', async () => {
    const { server, object } = await open();
    put(server, { a: '1' });
    server.fault = ({ query }) => {
      if (query['watch'] !== 'true') return false;
      put(server, { a: '2' });
      setImmediate(() => {
        put(server, { a: '3' });
        server.delete(PATH);
      });
      return false;
    };
    expect(await watch(object, 3)).toEqual([{ a: '2' }, { a: '3' }, { deleted: 'true' }]);
  });
});
