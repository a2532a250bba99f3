import { describe, expect, it, vi } from 'vitest';
import { openCluster } from '../../src/kubernetes/index.ts';
import {
  firstOnly,
  hang,
  refuse,
  reset,
  secretOf,
  secretPath,
  sendBrokenJson,
} from '../support/cluster-server.ts';
import { createTls } from '../support/tls.ts';
import { connectTo, startAndConnect, testDeadline } from './connected-cluster.ts';

const PATH = secretPath('sailmark', 'certificates');

describe('a request to the API server', () => {
  it.each([
    {
      name: 'is refused by name where our token is not accepted',
      trouble: refuse(401, 'Unauthorized'),
      status: 401,
      message: 'the API server does not accept the credentials of sailmark (Unauthorized)',
    },
    {
      name: 'tells the status of a failing API server, on one line',
      trouble: refuse(500, 'etcdserver:\nrequest timed out'),
      status: 500,
      message: 'the API server returned 500 (etcdserver: request timed out)',
    },
    {
      name: 'is no answer where it is no JSON',
      trouble: sendBrokenJson,
      status: 200,
      message: 'the API server returned something other than JSON',
    },
    {
      name: 'ends where every connection is reset',
      trouble: reset,
      status: undefined,
      message: 'no connection to the API server (ECONNRESET)',
    },
  ])('$name', async ({ trouble, status, message }) => {
    const { server, cluster } = await startAndConnect();
    server.fault = trouble;
    const request = cluster.readSecret('sailmark', 'certificates', testDeadline());
    await expect(request).rejects.toMatchObject({
      name: 'ClusterFault',
      method: 'GET',
      resource: 'secrets sailmark/certificates',
      status,
      message: expect.stringMatching(
        new RegExp(`^GET secrets sailmark/certificates: ${message.replaceAll(/[()]/g, '\\$&')}$`),
      ),
    });
  });

  it('ends with its signal where the API server hangs', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = hang;
    await expect(cluster.readSecret('sailmark', 'certificates', testDeadline(100))).rejects.toThrow(
      'the API server did not respond in time',
    );
  });

  it('ends in its own time where the caller has more of it', async () => {
    const { server, cluster } = await startAndConnect({ requestTimeout: 100 });
    server.fault = hang;
    await expect(cluster.readSecret('sailmark', 'certificates', testDeadline(60_000))).rejects.toThrow(
      'the API server did not respond in time',
    );
  });

  it('is not sent where no time is left', async () => {
    const { server, cluster } = await startAndConnect();
    await expect(cluster.readSecret('sailmark', 'certificates', AbortSignal.abort())).rejects.toThrow(
      'the API server did not respond in time',
    );
    expect(server.requests).toEqual([]);
  });

  it('is not answered by a body without end', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = (_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) {}
      };
      response.writeHead(200).on('drain', more);
      more();
      return true;
    };
    await expect(cluster.readSecret('sailmark', 'certificates', testDeadline(20_000))).rejects.toThrow(
      'the response is longer than 8388608 bytes',
    );
  });

  it('fails where nobody listens, and where the certificate is of another authority', async () => {
    const { server } = await startAndConnect();
    const other = server
      .kubeconfig()
      .replace(Buffer.from(server.tls.ca).toString('base64'), Buffer.from(createTls().ca).toString('base64'));
    const stranger = await connectTo(server, { kubeconfig: other });
    await expect(stranger.readSecret('sailmark', 'certificates', testDeadline())).rejects.toThrow(
      /no connection to the API server \((UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE)\)/,
    );
    const late = await connectTo(server);
    await server.close();
    await expect(late.readSecret('sailmark', 'certificates', testDeadline())).rejects.toThrow(
      'no connection to the API server (ECONNREFUSED)',
    );
  });

  it('is sent again after the pause that the API server asks for', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({ a: 'b' }));
    server.fault = firstOnly(2, refuse(429, 'too many requests', { 'retry-after': '0' }));
    expect((await cluster.readSecret('sailmark', 'certificates', testDeadline()))?.data).toEqual({ a: 'b' });
    expect(server.requests).toHaveLength(3);
  });

  it('is given up where the API server never stops asking for pauses, and at the end of its signal', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = refuse(429, 'too many requests', { 'retry-after': '0' });
    await expect(cluster.readSecret('sailmark', 'certificates', testDeadline())).rejects.toMatchObject({
      status: 429,
    });
    expect(server.requests).toHaveLength(4);
    server.fault = refuse(503, 'shutting down', { 'retry-after': '9' });
    await expect(cluster.readSecret('sailmark', 'certificates', testDeadline(100))).rejects.toThrow(
      'the API server did not respond in time',
    );
  });

  it('is sent again, once, where a connection was lost before the answer', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({ a: 'b' }));
    server.fault = firstOnly(1, reset);
    expect((await cluster.readSecret('sailmark', 'certificates', testDeadline()))?.data).toEqual({ a: 'b' });
    expect(server.requests).toHaveLength(2);
  });
});

describe('the way to the API server', () => {
  it('is one connection for many requests', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({}));
    for (let count = 0; count < 50; count += 1)
      await cluster.readSecret('sailmark', 'certificates', testDeadline());
    expect(server.requests).toHaveLength(50);
    expect(server.connections()).toBe(1);
  });

  it('is shared by requests that are sent at once from the first on', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, secretOf({}));
    const readSecret = (): Promise<unknown> => cluster.readSecret('sailmark', 'certificates', testDeadline());
    await Promise.all(Array.from({ length: 5 }, readSecret));
    const before = server.connections();
    await Promise.all(Array.from({ length: 5 }, readSecret));
    expect(before).toBeLessThanOrEqual(5);
    expect(server.connections()).toBe(before);
  });

  it('ends with the cluster', async () => {
    const { server, cluster } = await startAndConnect();
    await cluster.readSecret('sailmark', 'certificates', testDeadline());
    await cluster.close();
    await expect(cluster.readSecret('sailmark', 'certificates', testDeadline())).rejects.toMatchObject({
      name: 'ClusterFault',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('ends with the cluster, also for a request that is under way or that waits to be repeated', async () => {
    for (const trouble of [hang, refuse(503, 'shutting down', { 'retry-after': '9' })]) {
      const { server, cluster } = await startAndConnect();
      server.fault = trouble;
      const request = cluster.readSecret('sailmark', 'certificates', testDeadline(60_000));
      const closing = vi.waitFor(() => expect(server.requests).toHaveLength(1)).then(() => cluster.close());
      await expect(request).rejects.toThrow('the API server did not respond in time');
      await closing;
      expect(server.requests).toHaveLength(1);
    }
  });

  it('is not to be found outside a pod and without a kubeconfig', async () => {
    await expect(openCluster({})).rejects.toThrow(
      'this process does not run in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    );
  });

  it('is not to be found in a kubeconfig without a cluster', async () => {
    await expect(openCluster({ kubeconfig: '{}' })).rejects.toThrow(
      'the kubeconfig has no cluster for its current context',
    );
  });
});
