import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createRepository } from '../../../src/image/index.ts';
import { createRegistries, createSourceCaller } from '../../../src/registry/index.ts';
import { freePort } from '../../support/ports.ts';
import { registryLimits } from '../../support/registry-limits.ts';
import { createTls } from '../../support/tls.ts';
import {
  closeAfterTest,
  codeOf,
  createClient,
  DIGEST,
  faultOf,
  MANIFEST,
  PATH,
  pushTestImage,
  respondWith,
  startRegistryAndClient,
  startTestRegistry,
} from '../test-client.ts';

/** A server that responds with the manifest, and may close a connection during a request. */
const startDroppingServer = async (isLost: (requestsOnConnection: number) => boolean) => {
  const requestsOn = new Map<Socket, number>();
  const state = { requests: 0 };
  const server = createServer((request, response) => {
    const count = (requestsOn.get(request.socket) ?? 0) + 1;
    requestsOn.set(request.socket, count);
    state.requests += 1;
    if (isLost(count)) request.socket.destroy();
    else response.end(MANIFEST);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeAfterTest({
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { state, client: createClient(host, { plainHttp: true }) };
};

describe('a connection that ends under a request', () => {
  it('after it was kept open costs one more request, and no answer', async () => {
    const { state, client } = await startDroppingServer((count) => count > 1);
    const repository = client.repository();
    expect(await repository.manifest()).toMatchObject({ digest: DIGEST });
    expect(await repository.manifest()).toMatchObject({ digest: DIGEST });
    expect([state.requests, repository.requests()]).toEqual([3, 3]);
  });

  it('twice is a registry that is unavailable', async () => {
    const { state, client } = await startDroppingServer(() => true);
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'unavailable', asked: true });
    expect(state.requests).toBe(2);
  });
});

describe('a registry without a connection', () => {
  it('is unavailable where nobody listens', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    expect(await faultOf(createClient(host).repository().manifest())).toEqual({
      code: 'unavailable',
      asked: true,
      message: `${host}: the connection failed (ECONNREFUSED)`,
    });
  });

  it('is unavailable where its name has no address', async () => {
    const client = createClient('registry.example:5000', { lookUp: async () => [] });
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'unavailable',
      message: 'registry.example:5000: registry.example has no address',
    });
    const broken = createClient('registry.example:5000', {
      lookUp: () => Promise.reject(new Error('no resolver')),
    });
    expect(await faultOf(broken.repository().manifest())).toMatchObject({
      code: 'unavailable',
      message: 'registry.example:5000: registry.example cannot be resolved',
    });
  });

  it.each(['r.example:99999', 'r example', '[::1', '[fe80::1%25eth0]:5000'])(
    'is refused where its name is none: %j',
    async (host) => {
      expect(await faultOf(createClient(host).repository().manifest())).toMatchObject({
        code: 'refused',
        asked: false,
      });
    },
  );
});

describe('TLS', () => {
  it('by an authority that nobody named is refused, and says what to configure', async () => {
    const { registry } = await startRegistryAndClient({ tls: createTls() });
    const { code, message } = await faultOf(createClient(registry.host).repository().manifest());
    expect(code).toBe('unavailable');
    expect(message).toContain('is not trusted');
    expect(message).toContain('--ca-file');
    expect(registry.requests).toEqual([]);
  });

  it('for another name is refused', async () => {
    const { registry, client } = await startRegistryAndClient({ tls: createTls(['another.example']) });
    expect(await faultOf(client.repository().manifest())).toEqual({
      code: 'unavailable',
      asked: true,
      message: `${registry.host}: its TLS certificate is for another name`,
    });
  });

  it('is not given up for plain HTTP', async () => {
    const { registry } = await startRegistryAndClient();
    expect((await faultOf(createClient(registry.host).repository().manifest())).message).toContain(
      'the TLS handshake failed',
    );
    expect(registry.requests).toEqual([]);
  });

  it('of Docker Hub is for its endpoint', async () => {
    const lookups: string[] = [];
    const client = createClient('docker.io', {
      lookUp: async (hostname) => {
        lookups.push(hostname);
        return [];
      },
    });
    await faultOf(client.repository().manifest());
    expect(lookups).toEqual(['registry-1.docker.io']);
  });
});

describe('a registry at an IPv6 address', () => {
  it('is asked there', async () => {
    const server = createServer((_request, response) => response.end(MANIFEST));
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
    closeAfterTest({ close: () => new Promise<void>((resolve) => void server.close(() => resolve())) });
    const host = `[::1]:${(server.address() as AddressInfo).port}`;
    expect(await createClient(host, { plainHttp: true }).repository().manifest()).toMatchObject({
      digest: DIGEST,
    });
  });
});

describe('plain HTTP', () => {
  it('is spoken to the host it is allowed to, also by its default port', async () => {
    const lookups: string[] = [];
    const client = createClient('registry.example:80', {
      plainHttp: true,
      lookUp: async (hostname) => {
        lookups.push(hostname);
        return [];
      },
    });
    expect(await codeOf(client.repository().manifest())).toBe('unavailable');
    expect(lookups).toEqual(['registry.example']);
  });
});

describe('requests at once', () => {
  it('are no more than so many for one registry; who runs out of time in line was never sent', async () => {
    const { registry, client } = await startRegistryAndClient({
      client: { limits: { requestsPerRegistry: 5 } },
    });
    const pending: (() => void)[] = [];
    const { promise: bothCame, resolve } = Promise.withResolvers<void>();
    registry.fault = (request, response) => {
      pending.push(() => respondWith(200, {}, MANIFEST)(request, response));
      if (pending.length === 2) resolve();
      return true;
    };
    const under = [client.repository().manifest(), client.repository().manifest()];
    await bothCame;
    expect(await faultOf(client.repository().manifest(AbortSignal.timeout(50)))).toMatchObject({
      code: 'deadline',
      asked: false,
    });
    expect(registry.requests.length).toBe(2);
    for (const answer of pending) answer();
    expect(await Promise.all(under)).toMatchObject([{ digest: DIGEST }, { digest: DIGEST }]);
  });
});

describe('a caller', () => {
  it('without time left does not ask', async () => {
    const { registry, client } = await startRegistryAndClient();
    const repository = client.repository();
    expect(await faultOf(repository.manifest(AbortSignal.abort()))).toMatchObject({
      code: 'deadline',
      asked: false,
    });
    expect([registry.requests.length, repository.requests()]).toEqual([0, 0]);
  });

  it('whose time ends tells nothing of the registry: its failures in a row go on being counted', async () => {
    const { registry, client } = await startRegistryAndClient();
    const fail = async (): Promise<void> =>
      expect(await codeOf(client.repository().manifest())).toBe('unavailable');
    registry.fault = respondWith(500);
    for (let times = 0; times < 4; times += 1) await fail();
    registry.fault = () => true;
    expect(await codeOf(client.repository().manifest(AbortSignal.timeout(50)))).toBe('deadline');
    registry.fault = respondWith(500);
    await fail();
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'unavailable',
      asked: false,
    });
  });

  it('who leaves for a reason of his own gets a deadline all the same', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = () => true;
    const caller = new AbortController();
    const result = faultOf(client.repository().manifest(caller.signal));
    setImmediate(() => caller.abort(new Error('the review is over')));
    expect(await result).toMatchObject({ code: 'deadline', asked: true });
  });

  it('who asks much with one signal is left without listeners', async () => {
    const { client } = await startRegistryAndClient({
      auth: { kind: 'token' },
      client: { limits: { requestsPerRegistry: 1 } },
    });
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 20 }, () => client.repository().manifest(signal)));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('sees his own mistakes as they are', async () => {
    const { registry } = await startRegistryAndClient();
    const settings = [{ host: registry.host, plainHttp: true }];
    const registries = closeAfterTest(createRegistries({ settings, limits: registryLimits, now: Date.now }));
    const mistaken = registries.open(
      createRepository(registry.host, PATH),
      createSourceCaller(() => {
        Buffer.from(5 as unknown as string);
      }),
    );
    await expect(mistaken.resolve('1.28.0', AbortSignal.timeout(5000))).rejects.toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });
});

describe('a request', () => {
  it('asks for bytes as they are, and says nothing more of itself', async () => {
    const registry = await startTestRegistry();
    pushTestImage(registry);
    let headers: readonly string[] = [];
    registry.fault = (request) => {
      headers = Object.keys(request.headers);
      return false;
    };
    await createClient(registry.host, { plainHttp: true }).repository().blob();
    expect(headers.toSorted()).toEqual(['accept-encoding', 'connection', 'host']);
  });
});
