import { describe, expect, it } from 'vitest';
import { registryLimits } from '../../support/registry-limits.ts';
import type { Fault } from '../../support/registry-server.ts';
import { createTls } from '../../support/tls.ts';
import {
  BLOB,
  BLOB_PATH,
  codeOf,
  createClient,
  DIGEST,
  faultOf,
  portOf,
  pushTestImage,
  requestsOf,
  resolverOf,
  respondWith,
  startRegistryAndClient,
  startTestRegistry,
  writeDockerConfig,
} from '../test-client.ts';

const TLS = createTls([
  '127.0.0.1',
  'registry.example',
  'storage.example',
  'token.registry.example',
  'sso.example.net',
]);

/** Connections go to the first address; the second one is public, which makes it a public host. */
const PUBLIC = ['127.0.0.1', '192.0.2.1'];
const LOOPBACK = ['127.0.0.1'];
const METADATA = ['169.254.169.254'];

/** Redirects an authorised request for the blob. */
const toStorage =
  (location: string): Fault =>
  (request, response) =>
    request.url === BLOB_PATH && respondWith(307, { location })(request, response);

/** A registry and a store of another name, both over TLS. */
const registryAndStore = async (addresses: Parameters<typeof resolverOf>[0], more: object = {}) => {
  const [registry, store] = [await startTestRegistry({ tls: TLS }), await startTestRegistry({ tls: TLS })];
  pushTestImage(registry);
  store.fault = respondWith(200, {}, BLOB);
  registry.fault = toStorage(`https://storage.example:${portOf(store)}${BLOB_PATH}?signature=s3cret`);
  const client = createClient(`registry.example:${portOf(registry)}`, {
    ca: TLS.ca,
    lookUp: resolverOf(addresses),
    ...more,
  });
  return { registry, store, client };
};

describe('a redirect', () => {
  it('to a private address is not followed from a public registry', async () => {
    const { store, client } = await registryAndStore({
      'registry.example': PUBLIC,
      'storage.example': LOOPBACK,
    });
    expect(await faultOf(client.repository().blob())).toEqual({
      code: 'refused',
      asked: true,
      message: expect.stringContaining('storage.example is at 127.0.0.1, a private address') as string,
    });
    expect(store.requests).toEqual([]);
  });

  it('to a private address is followed from a private registry', async () => {
    const { store, client } = await registryAndStore({
      'registry.example': LOOPBACK,
      'storage.example': LOOPBACK,
    });
    expect(await client.repository().blob()).toEqual(BLOB);
    expect(store.requests.length).toBe(1);
  });

  it('to an address of the private network, written out, is not followed from a public registry', async () => {
    const { registry, store, client } = await registryAndStore({ 'registry.example': PUBLIC });
    registry.fault = toStorage(`${store.origin}${BLOB_PATH}`);
    expect(await faultOf(client.repository().blob())).toMatchObject({ code: 'refused', asked: true });
    expect(store.requests).toEqual([]);
  });

  it('to a name that is at a metadata address is never followed', async () => {
    const { client } = await registryAndStore({ 'registry.example': LOOPBACK, 'storage.example': METADATA });
    expect(await faultOf(client.repository().blob())).toMatchObject({ code: 'refused', asked: true });
  });

  it.each([
    ['64:ff9b::a9fe:a9fe', 'NAT64'],
    ['::ffff:a9fe:a9fe', 'IPv4-mapped'],
    ['2002:a9fe:a9fe::1', '6to4'],
    ['::', 'unspecified'],
    ['2852039166', 'one number'],
    ['0xa9.0xfe.0xa9.0xfe', 'hexadecimal'],
    ['0251.0376.0251.0376', 'octal'],
  ])('to the metadata address written as %s (%s) is never followed', async (address) => {
    const { registry, client } = await startRegistryAndClient({ tls: TLS });
    const host = address.includes(':') ? `[${address}]` : address;
    registry.fault = toStorage(`https://${host}/latest/meta-data`);
    expect(await faultOf(client.repository().blob(AbortSignal.timeout(2000)))).toMatchObject({
      code: 'refused',
      asked: true,
    });
  });

  it('carries neither credentials nor anything else of the first request, on the same host either', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'token', account: { username: 'u', password: 'p' } },
      credentials: { username: 'u', password: 'p' },
    });
    let seen: readonly string[] = [];
    registry.fault = (request, response) => {
      if (request.url === '/elsewhere') {
        seen = request.rawHeaders.filter((_, place) => place % 2 === 0);
        response.end(BLOB);
        return true;
      }
      return request.headers.authorization?.startsWith('Bearer') === true
        ? respondWith(302, { location: '/elsewhere' })(request, response)
        : false;
    };
    expect(await client.repository().blob()).toEqual(BLOB);
    expect(seen.map((name) => name.toLowerCase()).toSorted()).toEqual([
      'accept-encoding',
      'connection',
      'host',
    ]);
  });

  it('that names a user and password does not make us show them', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = toStorage(`http://user:word@${registry.host}/elsewhere`);
    await codeOf(client.repository().blob());
    expect(registry.requests.at(-1)).toEqual({ method: 'GET', path: '/elsewhere', authorization: undefined });
  });

  it('to the same host over plain HTTP is followed only where that is allowed', async () => {
    const { registry, client } = await startRegistryAndClient({ tls: TLS });
    registry.fault = toStorage(`http://${registry.host}${BLOB_PATH}`);
    expect(await faultOf(client.repository().blob())).toMatchObject({ code: 'refused', asked: true });
    expect(registry.requests.length).toBe(1);
  });

  it.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'data:text/plain,x', 'javascript:0'])(
    'to %s is not followed',
    async (location) => {
      const { registry, client } = await startRegistryAndClient();
      registry.fault = toStorage(location);
      expect(await faultOf(client.repository().blob())).toMatchObject({ code: 'refused', asked: true });
    },
  );

  it.each(['http://[', 'https://a:99999/'])('to %s is no answer', async (location) => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = toStorage(location);
    expect(await faultOf(client.repository().blob())).toMatchObject({ code: 'answer-invalid', asked: true });
  });

  it('without a place to go is no answer', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(307);
    expect(await faultOf(client.repository().blob())).toMatchObject({ code: 'answer-invalid', asked: true });
  });

  it('of a HEAD is a HEAD', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = (request, response) =>
      request.url?.startsWith('/v2/') === true
        ? respondWith(308, { location: '/moved' })(request, response)
        : respondWith(200, { 'docker-content-digest': DIGEST })(request, response);
    expect(await client.repository().resolve()).toBe(DIGEST);
    expect(requestsOf(registry)).toEqual(['HEAD /v2/istio/pilot/manifests/1.28.0', 'HEAD /moved']);
  });

  it('is followed five times, and not a sixth', async () => {
    const { registry, client } = await startRegistryAndClient();
    let left = registryLimits.redirects;
    registry.fault = (request, response) => {
      left -= 1;
      return left < 0 ? false : respondWith(307, { location: request.url ?? '' })(request, response);
    };
    expect(await client.repository().blob()).toEqual(BLOB);
    left = registryLimits.redirects + 1;
    expect(await codeOf(client.repository().blob())).toBe('refused');
  });

  it('shares the time of its request', async () => {
    const { registry, client } = await startRegistryAndClient({
      client: { limits: { requestTimeout: 500, redirects: 1000 } },
    });
    registry.fault = (request, response) => {
      setTimeout(() => respondWith(307, { location: request.url ?? '' })(request, response), 50);
      return true;
    };
    expect(await codeOf(client.repository().blob())).toBe('unavailable');
    expect(registry.requests.length).toBeLessThan(20);
  });

  it('to a host that does not answer as asked is told without its query', async () => {
    const { store, client } = await registryAndStore({
      'registry.example': LOOPBACK,
      'storage.example': LOOPBACK,
    });
    await store.close();
    const { code, message } = await faultOf(client.repository().blob());
    expect(code).toBe('backend-unavailable');
    expect(message).not.toMatch(/s3cret|signature/);
  });
});

describe('a token realm', () => {
  const startRegistryWithRealm = async (
    realm: string,
    at: { readonly registry: readonly string[]; readonly realm: readonly string[] },
    tokenRealms: readonly string[] = [],
  ) => {
    const service = await startTestRegistry({ tls: TLS, auth: { kind: 'token' } });
    const registry = await startTestRegistry({
      tls: TLS,
      auth: { kind: 'token', realm: `https://${realm}:${portOf(service)}/token` },
    });
    pushTestImage(registry);
    const host = `registry.example:${portOf(registry)}`;
    const client = createClient(host, {
      ca: TLS.ca,
      lookUp: resolverOf({ 'registry.example': at.registry, [realm]: at.realm }),
      dockerConfig: writeDockerConfig(host, { username: 'u', password: 'p' }),
      tokenRealms,
    });
    return { service, client };
  };

  it('of the registry’s domain at a private address is not asked for a public registry', async () => {
    const { service, client } = await startRegistryWithRealm('token.registry.example', {
      registry: PUBLIC,
      realm: LOOPBACK,
    });
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'refused' });
    expect(service.requests).toEqual([]);
  });

  it('of the registry’s domain at a private address is asked for a private registry', async () => {
    const { service, client } = await startRegistryWithRealm('token.registry.example', {
      registry: LOOPBACK,
      realm: LOOPBACK,
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(service.requests.length).toBe(1);
  });

  it('of another domain sees no credentials', async () => {
    const { service, client } = await startRegistryWithRealm('sso.example.net', {
      registry: PUBLIC,
      realm: PUBLIC,
    });
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('tokenRealms') as string,
    });
    expect(service.requests).toEqual([]);
  });

  it('of another domain, named in the configuration, is asked, wherever it is', async () => {
    const { service, client } = await startRegistryWithRealm(
      'sso.example.net',
      { registry: PUBLIC, realm: LOOPBACK },
      ['sso.example.net'],
    );
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(service.requests.map(({ authorization }) => authorization)).toEqual([
      `Basic ${Buffer.from('u:p').toString('base64')}`,
    ]);
  });

  it('named in the configuration is not asked at a metadata address', async () => {
    const { client } = await startRegistryWithRealm(
      'sso.example.net',
      { registry: PUBLIC, realm: METADATA },
      ['sso.example.net'],
    );
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'refused' });
  });
});

describe('a registry', () => {
  it('at a metadata address is not asked', async () => {
    const client = createClient('registry.example:5000', {
      lookUp: resolverOf({ 'registry.example': METADATA }),
    });
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'refused', asked: false });
    for (const host of ['169.254.169.254', '[fe80::1]:5000', '0.0.0.0:5000', '2852039166'])
      expect(await faultOf(createClient(host).repository().manifest())).toMatchObject({
        code: 'refused',
        asked: false,
      });
  });

  it('that moves to a metadata address between two requests is not asked there', async () => {
    const { registry } = await registryAndStore({});
    const addresses = [LOOPBACK, METADATA];
    const lookups: string[] = [];
    registry.fault = (_request, response) => {
      response.setHeader('connection', 'close');
      return false;
    };
    const client = createClient(`registry.example:${portOf(registry)}`, {
      ca: TLS.ca,
      lookUp: (hostname) => {
        lookups.push(hostname);
        return resolverOf({ [hostname]: addresses.shift() ?? LOOPBACK })(hostname);
      },
    });
    expect(await client.repository().blob()).toEqual(BLOB);
    expect(lookups).toEqual(['registry.example']);
    expect(await codeOf(client.repository().blob())).toBe('refused');
    expect(lookups.length).toBe(2);
    expect(registry.requests.length).toBe(1);
  });
});
