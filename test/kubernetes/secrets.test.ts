import { describe, expect, it } from 'vitest';
import { firstOnly, refuse, secretOf, secretPath } from '../support/cluster-server.ts';
import { startAndConnect, testDeadline } from './connected-cluster.ts';

const PATH = secretPath('sailmark', 'certificates');

describe('replacing a Secret', () => {
  it('is a conflict where somebody wrote it since it was read, and changes nothing', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({ mine: 'old' }));
    const read = await cluster.readSecret('sailmark', 'certificates', testDeadline());
    server.put(PATH, secretOf({ mine: "another's" }));
    const secret = { version: read?.version ?? '', data: { mine: 'new' } };
    expect(await cluster.replaceSecret('sailmark', 'certificates', secret, testDeadline())).toBe('conflict');
    expect(server.get(PATH)?.['data']).toEqual(secretOf({ mine: "another's" })['data']);
  });

  it('is a conflict where somebody writes it between our reading and our writing', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({ mine: 'old' }));
    const read = await cluster.readSecret('sailmark', 'certificates', testDeadline());
    server.fault = ({ method }) => {
      if (method === 'PUT') server.put(PATH, secretOf({ mine: "another's" }));
      return false;
    };
    const secret = { version: read?.version ?? '', data: { mine: 'new' } };
    expect(await cluster.replaceSecret('sailmark', 'certificates', secret, testDeadline())).toBe('conflict');
    expect(server.get(PATH)?.['data']).toEqual(secretOf({ mine: "another's" })['data']);
  });

  it('is a conflict where the Secret is gone, which is not created again', async () => {
    const { server, cluster } = await startAndConnect();
    const secret = { version: '1', data: { mine: 'new' } };
    expect(await cluster.replaceSecret('sailmark', 'certificates', secret, testDeadline())).toBe('conflict');
    expect(server.get(PATH)).toBeUndefined();
  });

  it('leaves everything but the data as it was, and bytes that are no text as they were', async () => {
    const { server, cluster } = await startAndConnect();
    const binary = Buffer.of(0xff, 0x00, 0xfe).toString('base64');
    const before = secretOf({ 'tls.crt': '' }, { labels: { app: 'sailmark' }, annotations: { a: 'b' } });
    server.put(PATH, { ...before, type: 'kubernetes.io/tls', data: { 'tls.crt': '', keystore: binary } });
    const read = await cluster.readSecret('sailmark', 'certificates', testDeadline());
    const secret = { version: read?.version ?? '', data: { ...read?.data, 'tls.crt': 'héllo' } };
    expect(await cluster.replaceSecret('sailmark', 'certificates', secret, testDeadline())).toBe('written');
    expect(server.get(PATH)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: {
        namespace: 'sailmark',
        name: 'certificates',
        labels: { app: 'sailmark' },
        annotations: { a: 'b' },
        resourceVersion: expect.any(String),
      },
      data: { 'tls.crt': Buffer.from('héllo').toString('base64'), keystore: binary },
    });
  });

  it('asks for no verb but get and update', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({}));
    const read = await cluster.readSecret('sailmark', 'certificates', testDeadline());
    await cluster.replaceSecret(
      'sailmark',
      'certificates',
      { version: read?.version ?? '', data: {} },
      testDeadline(),
    );
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET ${PATH}`,
      `GET ${PATH}`,
      `PUT ${PATH}`,
    ]);
  });
});

describe('reading a Secret', () => {
  it('is undefined where there is none', async () => {
    const { cluster } = await startAndConnect();
    expect(await cluster.readSecret('sailmark', 'certificates', testDeadline())).toBeUndefined();
  });

  it('decodes its values and tells its version', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({ one: 'eins', two: 'zwei ✓' }));
    expect(await cluster.readSecret('sailmark', 'certificates', testDeadline())).toEqual({
      version: '101',
      data: { one: 'eins', two: 'zwei ✓' },
    });
  });

  it('takes an empty Secret as the chart makes it, without data', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, { apiVersion: 'v1', kind: 'Secret', metadata: {} });
    expect(await cluster.readSecret('sailmark', 'certificates', testDeadline())).toEqual({
      version: '101',
      data: {},
    });
  });

  it('says which rule is missing where it is forbidden', async () => {
    const { server, cluster } = await startAndConnect();
    const said =
      'secrets "certificates" is forbidden: User "system:serviceaccount:sailmark:sailmark" cannot get';
    server.fault = firstOnly(1, refuse(403, said));
    await expect(cluster.readSecret('sailmark', 'certificates', testDeadline())).rejects.toMatchObject({
      name: 'ClusterFault',
      method: 'GET',
      resource: 'secrets sailmark/certificates',
      status: 403,
      message: `GET secrets sailmark/certificates: the API server forbids it; it requires a Role in the namespace sailmark with the rule {apiGroups: [""], resources: ["secrets"], resourceNames: ["certificates"], verbs: ["get"]} (${said})`,
    });
  });
});
