import { describe, expect, it } from 'vitest';
import { createRepository } from '../../src/image/index.ts';
import {
  createRegistries,
  createSourceCaller,
  type FetchDocument,
  type RegistriesOptions,
} from '../../src/registry/index.ts';
import { registryLimits } from '../support/registry-limits.ts';
import { createTls } from '../support/tls.ts';
import {
  closeAfterTest,
  codeOf,
  DIGEST,
  faultOf,
  MANIFEST,
  pushTestImage,
  respondWith,
  startRegistryAndClient,
  startTestRegistry,
} from './test-client.ts';

const TLS = createTls();
const KEY = '-----BEGIN PUBLIC KEY-----';

const registriesOf = (options: Partial<RegistriesOptions> = {}) =>
  closeAfterTest(
    createRegistries({
      settings: [],
      defaults: { ca: TLS.ca },
      limits: registryLimits,
      now: Date.now,
      ...options,
    }),
  );
const fetched = (
  url: string,
  options: Partial<RegistriesOptions> = {},
  signal = AbortSignal.timeout(5000),
): ReturnType<FetchDocument> => registriesOf(options).fetchDocument(url, { bytes: 1000, signal });

/** A server over TLS that responds to every request with a key, unless a fault applies. */
const keyServer = async () => {
  const server = await startTestRegistry({ tls: TLS });
  server.fault = respondWith(200, {}, KEY);
  return server;
};

describe('a document', () => {
  it('is fetched over https', async () => {
    const server = await keyServer();
    expect(Buffer.from(await fetched(`${server.origin}/key.pem?v=1`)).toString()).toBe(KEY);
    expect(server.requests).toEqual([{ method: 'GET', path: '/key.pem?v=1', authorization: undefined }]);
  });

  it.each(['http://127.0.0.1/key?token=s3cret', 'file:///etc/passwd', 'key?token=s3cret', 'https://', ''])(
    'is not fetched from %j, and the fault does not repeat it',
    async (url) => {
      const { code, asked, message } = await faultOf(fetched(url));
      expect({ code, asked }).toEqual({ code: 'refused', asked: false });
      expect(message).toContain('is fetched from an https URL only');
      expect(message).not.toContain('s3cret');
    },
  );

  it('is not fetched from a metadata address', async () => {
    expect(await faultOf(fetched('https://169.254.169.254/key'))).toMatchObject({
      code: 'refused',
      asked: false,
    });
  });

  it('is followed over https, and not to plain HTTP', async () => {
    const [server, other] = [await keyServer(), await keyServer()];
    server.fault = respondWith(302, { location: `${other.origin}/moved` });
    expect(Buffer.from(await fetched(`${server.origin}/key`)).toString()).toBe(KEY);
    server.fault = respondWith(302, { location: `http://${other.host}/moved` });
    expect(await codeOf(fetched(`${server.origin}/key`))).toBe('refused');
  });

  it('is not followed to a private address from a public one', async () => {
    const [server, other] = [await keyServer(), await keyServer()];
    const port = server.host.split(':')[1] ?? '';
    server.fault = respondWith(302, { location: `${other.origin}/moved` });
    const lookUp = async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '192.0.2.1', family: 4 },
    ];
    expect(await codeOf(fetched(`https://localhost:${port}/key`, { lookUp }))).toBe('refused');
    expect(other.requests).toEqual([]);
  });

  it.each([
    [404, 'unavailable'],
    [401, 'unavailable'],
    [500, 'unavailable'],
  ])('answered with %d is %s', async (status, code) => {
    const server = await keyServer();
    server.fault = respondWith(status, { 'www-authenticate': 'Basic realm="x"' });
    expect(await codeOf(fetched(`${server.origin}/key`))).toBe(code);
    expect(server.requests.length).toBe(1);
  });

  it('that is too long is cut off', async () => {
    const server = await keyServer();
    server.fault = respondWith(200, {}, 'k'.repeat(1001));
    expect(await codeOf(fetched(`${server.origin}/key`))).toBe('answer-invalid');
  });

  it('ends with the caller’s time', async () => {
    const server = await keyServer();
    server.fault = () => true;
    expect(await codeOf(fetched(`${server.origin}/key`, {}, AbortSignal.timeout(100)))).toBe('deadline');
  });

  it('is trusted by the authority of its host’s settings', async () => {
    const server = await keyServer();
    const url = `${server.origin}/key`;
    expect(await codeOf(fetched(url, { defaults: {} }))).toBe('unavailable');
    const settings = [{ host: server.host, ca: TLS.ca }];
    expect(Buffer.from(await fetched(url, { defaults: {}, settings })).toString()).toBe(KEY);
  });
});

describe('registries', () => {
  it('are those of the settings, with the defaults for what they leave out and for the others', async () => {
    const registry = await startTestRegistry({ tls: TLS });
    pushTestImage(registry);
    const source = registriesOf().open(createRepository(registry.host, 'istio/pilot'), createSourceCaller());
    expect(source.id).toBe(`${registry.host}/istio/pilot`);
    expect(await source.resolve('1.28.0', AbortSignal.timeout(5000))).toBe(DIGEST);
    const named = registriesOf({ settings: [{ host: registry.host }] });
    const again = named.open(createRepository(registry.host, 'istio/pilot'), createSourceCaller());
    expect(await again.resolve('1.28.0', AbortSignal.timeout(5000))).toBe(DIGEST);
  });

  it('contact nobody before they are asked', async () => {
    const { registry } = await startRegistryAndClient();
    registriesOf({ settings: [{ host: registry.host, plainHttp: true }] }).open(
      createRepository(registry.host, 'istio/pilot'),
      createSourceCaller(),
    );
    await new Promise(setImmediate);
    expect(registry.requests).toEqual([]);
  });

  it('that are closed end what is under way, and ask no more', async () => {
    const registry = await startTestRegistry();
    pushTestImage(registry);
    const { promise: came, resolve } = Promise.withResolvers<void>();
    registry.fault = () => {
      resolve();
      return true;
    };
    const registries = registriesOf({ settings: [{ host: registry.host, plainHttp: true }] });
    const source = registries.open(createRepository(registry.host, 'istio/pilot'), createSourceCaller());
    const result = faultOf(source.resolve('1.28.0', AbortSignal.timeout(5000)));
    await came;
    await registries.close();
    expect(await result).toMatchObject({ code: 'unavailable' });
    registry.clearRequests();
    expect(await faultOf(source.resolve('1.28.0', AbortSignal.timeout(5000)))).toMatchObject({
      code: 'unavailable',
    });
    expect(registry.requests).toEqual([]);
  });

  it('that fail leave the others alone', async () => {
    const [bad, good] = [await startTestRegistry(), await startTestRegistry()];
    pushTestImage(good);
    bad.fault = respondWith(500);
    const settings = [bad, good].map(({ host }) => ({ host, plainHttp: true }));
    const registries = registriesOf({ settings });
    const signal = AbortSignal.timeout(5000);
    for (let time = 0; time < 6; time += 1)
      await codeOf(
        registries.open(createRepository(bad.host, 'a'), createSourceCaller()).resolve('1', signal),
      );
    expect(bad.requests.length).toBe(5);
    const source = registries.open(createRepository(good.host, 'istio/pilot'), createSourceCaller());
    expect(await source.manifest({ digest: DIGEST }, signal)).toMatchObject({ bytes: MANIFEST });
  });
});
