import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Proxy } from '../../../src/registry/index.ts';
import { type ProxyOptions, startProxy, type TestProxy } from '../../support/proxy.ts';
import type { RegistryOptions } from '../../support/registry-server.ts';
import { createTls } from '../../support/tls.ts';
import {
  BLOB,
  BLOB_PATH,
  type ClientOptions,
  closeAfterTest,
  createClient,
  DIGEST,
  faultOf,
  portOf,
  pushTestImage,
  resolverOf,
  respondWith,
  startTestRegistry,
  temporaryDirectory,
  writeDockerConfig,
} from '../test-client.ts';

/*
 * DNS does not resolve `registry.example`: a request reaches that name through the proxy, which connects to loopback
 * for every name, or through the test's own resolver.
 */

const NAMES = ['registry.example', 'storage.example', 'token.registry.example'];
const TLS = createTls(NAMES);
const ACCOUNT = { username: 'ada', password: 'p:w/é' };
const NOBODY = resolverOf({});

const withUser = ({ host, url }: TestProxy, user: string): URL => new URL(`${url.protocol}//${user}@${host}`);

const proxied = async (
  serving: RegistryOptions & { readonly proxyOptions?: ProxyOptions } = {},
  options: ClientOptions & { readonly no?: string; readonly user?: string } = {},
) => {
  const { proxyOptions, ...registryOptions } = serving;
  const proxy = closeAfterTest(await startProxy(proxyOptions));
  const registry = await startTestRegistry({ tls: TLS, ...registryOptions });
  pushTestImage(registry);
  const { no, user, ...rest } = options;
  const url = user === undefined ? proxy.url : withUser(proxy, user);
  const through: Proxy = { https: url, ...(no === undefined ? {} : { noProxy: no }) };
  const host = `registry.example:${portOf(registry)}`;
  const client = createClient(host, { ca: TLS.ca, lookUp: NOBODY, proxy: through, ...rest });
  return { proxy, registry, client, host };
};

const saying =
  (text: string) =>
  (socket: Socket): void =>
    void socket.end(text);

describe('a proxy', () => {
  it.each([
    ['HTTP/1.1 403 Forbidden\r\n\r\n', 'refused', 'refused the connection (403)'],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'unavailable', 'could not open the connection (502)'],
    ['HTTP/1.1 200 OK\r\n\r\nearly', 'unavailable', 'could not open the connection (200)'],
    ['nonsense\r\n\r\n', 'unavailable', 'cannot be reached (HPE_INVALID_CONSTANT)'],
    ['', 'unavailable', 'cannot be reached (ECONNRESET)'],
  ])('that says %j is named in the fault', async (text, code, why) => {
    const { proxy, registry, client, host } = await proxied({ proxyOptions: { fault: saying(text) } });
    const fault = await faultOf(client.repository().manifest());
    expect(fault).toMatchObject({ code, asked: true });
    expect(fault.message).toContain(`${host}: the proxy ${proxy.host} ${why}`);
    expect(registry.requests).toEqual([]);
  });

  it('that opens no connection holds up the host, whatever repository was asked for', async () => {
    const { proxy, client } = await proxied({
      proxyOptions: { fault: saying('HTTP/1.1 502 Bad Gateway\r\n\r\n') },
    });
    for (let time = 0; time < 5; time += 1) await faultOf(client.repository(`istio/a${time}`).manifest());
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'unavailable',
      asked: false,
    });
    expect(proxy.requests).toHaveLength(5);
  });

  it('that hangs is named in the fault, in the request’s time', async () => {
    const { proxy, client, host } = await proxied(
      { proxyOptions: { fault: () => {} } },
      { limits: { requestTimeout: 200 } },
    );
    const { code, message } = await faultOf(client.repository().manifest());
    expect(code).toBe('unavailable');
    expect(message).toContain(host);
    expect(message).toContain(`proxy ${proxy.host}`);
    expect(message).toContain('within 200 ms');
  });

  it('that is not there is named in the fault', async () => {
    const { proxy, client } = await proxied();
    await proxy.close();
    await expect(client.repository().manifest()).rejects.toMatchObject({
      message: expect.stringContaining(`the proxy ${proxy.host} cannot be reached (ECONNREFUSED)`),
      remedy: 'proxy-unreachable',
    });
  });

  it('that is not there is what helps, for a registry over plain HTTP too', async () => {
    const proxy = await startProxy();
    await proxy.close();
    const client = createClient('registry.example:5000', {
      lookUp: NOBODY,
      proxy: { http: proxy.url },
      plainHttp: true,
    });
    await expect(client.repository().manifest()).rejects.toMatchObject({ remedy: 'proxy-unreachable' });
  });

  it('that cannot reach the registry is not said to be at fault', async () => {
    const { client } = await proxied({ proxyOptions: { fault: saying('HTTP/1.1 502 Bad Gateway\r\n\r\n') } });
    await expect(client.repository().manifest()).rejects.toMatchObject({
      code: 'unavailable',
      remedy: undefined,
    });
  });

  it('that wants a password gets no other, and the fault has none in it', async () => {
    for (const user of [undefined, 'ada:wr0ng']) {
      const { proxy, registry, client } = await proxied(
        { proxyOptions: { account: ACCOUNT } },
        user === undefined ? {} : { user },
      );
      const { code, message } = await faultOf(client.repository().manifest());
      expect(code).toBe('refused');
      expect(message).toContain(`the proxy ${proxy.host} requires another user name and password (407)`);
      expect(message).not.toMatch(/ada|wr0ng/);
      expect(registry.requests).toEqual([]);
    }
  });

  it('that wants a password gets the one of its URL, and the registry never sees it', async () => {
    const { registry, client } = await proxied(
      { proxyOptions: { account: ACCOUNT } },
      { user: `${ACCOUNT.username}:${encodeURIComponent(ACCOUNT.password)}` },
    );
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('that wants a password in Latin-1 gets the bytes of its URL’s escapes', async () => {
    const { client } = await proxied(
      { proxyOptions: { account: { username: 'ada', password: 'é%' }, encoding: 'latin1' } },
      { user: 'ada:%E9%25' },
    );
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it('does not make the registry’s certificate trusted', async () => {
    const { proxy, client } = await proxied({}, { ca: createTls().ca });
    expect((await faultOf(client.repository().manifest())).message).toMatch(
      new RegExp(`certificate is not trusted.*through the proxy ${proxy.host}`),
    );
  });

  it('is asked to connect for a registry over TLS, with its own authority', async () => {
    const { proxy, registry, client, host } = await proxied();
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(await client.repository().blob()).toEqual(BLOB);
    expect(proxy.requests).toEqual([`CONNECT ${host}`]);
    expect(registry.requests.length).toBe(2);
  });

  it('is sent the whole URL of a registry over plain HTTP, and nothing of it goes on', async () => {
    const proxy = closeAfterTest(await startProxy({ account: ACCOUNT }));
    const registry = await startTestRegistry();
    pushTestImage(registry);
    const host = `registry.example:${portOf(registry)}`;
    const repositoryFor = (user: string) =>
      createClient(host, {
        plainHttp: true,
        lookUp: NOBODY,
        proxy: { http: withUser(proxy, user) },
      }).repository();
    const refused = await faultOf(repositoryFor('ada:wr0ng').manifest());
    expect(refused).toMatchObject({ code: 'refused' });
    expect(refused.message).toContain(
      `the proxy ${proxy.host} requires another user name and password (407)`,
    );
    expect(await repositoryFor(`ada:${encodeURIComponent(ACCOUNT.password)}`).manifest()).toMatchObject({
      digest: DIGEST,
    });
    expect(proxy.requests.at(-1)).toBe(`GET http://${host}/v2/istio/pilot/manifests/${DIGEST}`);
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each(['registry.example', '.example', '*.example', '*'])('is passed by for NO_PROXY=%s', async (no) => {
    const { proxy, client } = await proxied(
      {},
      { no, lookUp: resolverOf({ 'registry.example': ['127.0.0.1'] }) },
    );
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(proxy.requests).toEqual([]);
  });

  it('is passed by for an address of a CIDR, and asked for any other', async () => {
    const proxy = closeAfterTest(await startProxy({ fault: saying('HTTP/1.1 502 Bad Gateway\r\n\r\n') }));
    const repositoryFor = (host: string) =>
      createClient(host, {
        proxy: { https: proxy.url, noProxy: '192.0.2.0/25' },
        limits: { requestTimeout: 100 },
      }).repository();
    await faultOf(repositoryFor('192.0.2.1:5000').manifest());
    expect(proxy.requests).toEqual([]);
    await faultOf(repositoryFor('192.0.2.129:5000').manifest());
    expect(proxy.requests).toEqual(['CONNECT 192.0.2.129:5000']);
  });

  it('stands before token realms and redirects too, with the rules that they have', async () => {
    const service = await startTestRegistry({ tls: TLS, auth: { kind: 'token', account: ACCOUNT } });
    const store = await startTestRegistry({ tls: TLS });
    store.fault = respondWith(200, {}, BLOB);
    const realm = `https://token.registry.example:${portOf(service)}/token`;
    const { proxy, registry, client, host } = await proxied(
      { auth: { kind: 'token', account: ACCOUNT, realm } },
      { dockerConfig: writeDockerConfig('registry.example', {}) },
    );
    // The file names the registry without its port: the request is anonymous, and refused.
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'refused' });
    const known = createClient(host, {
      ca: TLS.ca,
      lookUp: NOBODY,
      proxy: { https: proxy.url },
      dockerConfig: writeDockerConfig(host, ACCOUNT),
    });
    registry.fault = (request, response) =>
      request.url === BLOB_PATH &&
      request.headers.authorization !== undefined &&
      respondWith(307, { location: `https://storage.example:${portOf(store)}/x` })(request, response);
    proxy.requests.splice(0);
    expect(await known.repository().blob()).toEqual(BLOB);
    expect(proxy.requests).toEqual([
      `CONNECT ${host}`,
      `CONNECT token.registry.example:${portOf(service)}`,
      `CONNECT storage.example:${portOf(store)}`,
    ]);
    expect(store.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each(['169.254.169.254', '[fd00:ec2::254]', '0.0.0.0'])(
    'is never asked for %s, written as an address',
    async (address) => {
      const { proxy, registry, client } = await proxied();
      registry.fault = (request, response) =>
        request.url === BLOB_PATH &&
        respondWith(307, { location: `https://${address}/x` })(request, response);
      expect(await faultOf(client.repository().blob())).toMatchObject({ code: 'refused' });
      const direct = createClient(`${address}:5000`, { proxy: { https: proxy.url } });
      expect(await faultOf(direct.repository().manifest())).toMatchObject({ code: 'refused', asked: false });
      expect(proxy.requests.length).toBe(1);
    },
  );

  it('may be asked over TLS itself, where its authority is trusted for all', async () => {
    const tls = createTls();
    const directory = temporaryDirectory();
    const file = join(directory, 'ca.pem');
    writeFileSync(file, tls.ca);
    const { proxy, client } = await proxied({ proxyOptions: { tls } });
    expect((await faultOf(client.repository().manifest())).message).toMatch(
      new RegExp(`the proxy ${proxy.host} cannot be reached \\(\\w*CERT\\w*\\)`),
    );
    const ways: readonly ClientOptions[] = [
      { environment: { SSL_CERT_FILE: file } },
      { environment: { SSL_CERT_DIR: directory } },
      { defaults: { ca: tls.ca } },
    ];
    for (const way of ways) {
      const trusting = await proxied({ proxyOptions: { tls } }, way);
      expect(await trusting.client.repository().manifest()).toMatchObject({ digest: DIGEST });
      expect(trusting.proxy.requests).toEqual([`CONNECT ${trusting.host}`]);
    }
  });
});
