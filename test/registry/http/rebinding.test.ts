import { describe, expect, it } from 'vitest';
import type { LookUp } from '../../../src/registry/http/addresses.ts';
import type { Fault } from '../../support/registry-server.ts';
import { createTls } from '../../support/tls.ts';
import {
  BLOB,
  BLOB_PATH,
  type ClientOptions,
  createClient,
  DIGEST,
  faultOf,
  portOf,
  pushTestImage,
  respondWith,
  startTestRegistry,
  writeDockerConfig,
} from '../test-client.ts';

/*
 * DNS rebinding: a name that resolved to a harmless address when it was checked resolves to the cloud's metadata
 * service a moment later. Every connection goes to the address that was looked up and checked for it.
 */

const TLS = createTls(['registry.example', 'storage.example', 'token.registry.example', 'mirror.example']);
const ACCOUNT = { username: 'ada', password: 'secret' };
const HARMLESS = '127.0.0.1';
const METADATA = ['169.254.169.254', '::ffff:169.254.169.254', 'fd00:ec2::254'];

/**
 * A resolver that returns a harmless address for one name once, and then a forbidden one. Other names do not change.
 */
const rebindingResolver = (name: string, to: string): LookUp => {
  let lookups = 0;
  return async (hostname) => {
    if (hostname === name) lookups += 1;
    const address = hostname === name && lookups > 1 ? to : HARMLESS;
    return [{ address, family: address.includes(':') ? 6 : 4 }];
  };
};

/** Closes each connection after its response, so that the next request looks the name up again. */
const closeAfterResponse =
  (fault?: Fault): Fault =>
  (request, response) => {
    response.setHeader('connection', 'close');
    return fault?.(request, response) ?? false;
  };

const served = async (options: Parameters<typeof startTestRegistry>[0] = {}) => {
  const registry = await startTestRegistry({ tls: TLS, ...options });
  pushTestImage(registry);
  registry.fault = closeAfterResponse();
  return registry;
};

const repositoryOf = (host: string, lookUp: LookUp, options: ClientOptions = {}) =>
  createClient(host, { ca: TLS.ca, lookUp, ...options });

const forbidden = (name: string, to: string): unknown => ({
  code: 'refused',
  message: expect.stringContaining(
    `${name} is at ${to}, a link-local, metadata or reserved address`,
  ) as unknown,
});

describe.each(METADATA)('a name that is harmless first, and then at %s,', (to) => {
  it('is not asked as a registry', async () => {
    const registry = await served();
    const client = repositoryOf(
      `registry.example:${portOf(registry)}`,
      rebindingResolver('registry.example', to),
    );
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(await faultOf(client.repository().manifest())).toMatchObject(
      forbidden('registry.example', to) as object,
    );
    expect(registry.requests.length).toBe(1);
  });

  it('is not asked for a token', async () => {
    const service = await served({ auth: { kind: 'token', account: ACCOUNT } });
    const realm = `https://token.registry.example:${portOf(service)}/token`;
    const registry = await served({ auth: { kind: 'token', account: ACCOUNT, realm } });
    pushTestImage(registry, 'istio/proxyv2');
    const host = `registry.example:${portOf(registry)}`;
    const client = repositoryOf(host, rebindingResolver('token.registry.example', to), {
      dockerConfig: writeDockerConfig(host, ACCOUNT),
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    const fault = await faultOf(client.repository('istio/proxyv2').manifest());
    expect(fault).toMatchObject(forbidden('token.registry.example', to) as object);
    expect(service.requests.length).toBe(1);
  });

  it('is not followed in a redirect', async () => {
    const store = await served();
    store.fault = closeAfterResponse(respondWith(200, {}, BLOB));
    const registry = await served();
    registry.fault = closeAfterResponse(
      (request, response) =>
        request.url === BLOB_PATH &&
        respondWith(307, { location: `https://storage.example:${portOf(store)}/x` })(request, response),
    );
    const client = repositoryOf(
      `registry.example:${portOf(registry)}`,
      rebindingResolver('storage.example', to),
    );
    expect(await client.repository().blob()).toEqual(BLOB);
    expect(await faultOf(client.repository().blob())).toMatchObject(
      forbidden('storage.example', to) as object,
    );
    expect(store.requests.length).toBe(1);
  });

  it('is not read as an endpoint', async () => {
    const registry = await served();
    const host = `mirror.example:${portOf(registry)}`;
    const client = createClient('docker.io', {
      endpoint: host,
      others: [{ host, ca: TLS.ca }],
      lookUp: rebindingResolver('mirror.example', to),
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(await faultOf(client.repository().manifest())).toMatchObject(
      forbidden('mirror.example', to) as object,
    );
    expect(registry.requests.length).toBe(1);
  });
});
