import { describe, expect, it } from 'vitest';
import type { RegistrySettings } from '../../src/registry/index.ts';
import type { RegistryOptions } from '../support/registry-server.ts';
import { createTls } from '../support/tls.ts';
import {
  BLOB,
  createClient,
  DIGEST,
  faultOf,
  pushTestImage,
  requestsOf,
  respondWith,
  startTestRegistry,
  writeJsonFile,
} from './test-client.ts';

/*
 * Images of one registry are read from another, as nodes with a mirror do. No test here can reach docker.io itself.
 */

const TLS = createTls();
const ACCOUNT = { username: 'ada', password: 'secret' };

/** A registry with docker.io's images below `hub`, and a client that reads them. */
const startMirrored = async (
  serving: RegistryOptions = {},
  own: Partial<RegistrySettings> = {},
  prefix = 'hub',
) => {
  const registry = await startTestRegistry({ tls: TLS, ...serving });
  pushTestImage(registry, [prefix, 'istio/pilot'].filter((part) => part !== '').join('/'));
  const endpoint = [registry.host, prefix].filter((part) => part !== '').join('/');
  const others = [{ host: registry.host, ca: TLS.ca, ...own }];
  return { registry, client: createClient('docker.io', { endpoint, others }) };
};

describe('an endpoint', () => {
  it('that refuses is named where it was asked', async () => {
    const { registry, client } = await startMirrored({ auth: { kind: 'token', account: ACCOUNT } });
    expect(await faultOf(client.repository().manifest())).toEqual({
      code: 'refused',
      asked: true,
      message: `the token service of ${registry.host} returned no token to an anonymous request (401)`,
    });
  });

  it('whose answer is none is named where it was asked', async () => {
    const { registry, client } = await startMirrored();
    registry.fault = respondWith(403);
    expect((await faultOf(client.repository().manifest())).message).toContain(
      `${registry.host}/hub/istio/pilot`,
    );
    registry.fault = respondWith(200, { 'content-type': 'text/html' }, 'log in');
    expect((await faultOf(client.repository().tagged())).message).toContain(
      `${registry.host}/hub/istio/pilot, 1.28.0`,
    );
    await registry.close();
    expect((await faultOf(client.repository().manifest())).message).toBe(
      `${registry.host}: the connection failed (ECONNREFUSED)`,
    );
  });

  it('never gets the credentials of the registry in whose place it is read', async () => {
    const auths = { 'docker.io': ACCOUNT, 'https://index.docker.io/v1/': ACCOUNT };
    const { registry, client } = await startMirrored(
      { auth: { kind: 'basic', account: ACCOUNT } },
      { dockerConfig: writeJsonFile({ auths }) },
    );
    expect((await faultOf(client.repository().manifest())).message).toContain(
      `none is configured for ${registry.host}/hub/istio/pilot`,
    );
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('has its own authority, and no other', async () => {
    const { registry, client } = await startMirrored({}, { ca: createTls().ca });
    expect((await faultOf(client.repository().manifest())).message).toContain(
      'its TLS certificate is not trusted',
    );
    expect(registry.requests).toEqual([]);
  });

  it('is asked below its path, and the source keeps the name of the image’s registry', async () => {
    const { registry, client } = await startMirrored();
    const repository = client.repository();
    expect(repository.id).toBe('docker.io/istio/pilot');
    expect(await repository.resolve()).toBe(DIGEST);
    expect(await repository.manifest()).toMatchObject({ digest: DIGEST });
    expect(await repository.blob()).toEqual(BLOB);
    expect(requestsOf(registry).slice(0, 2)).toEqual([
      'HEAD /v2/hub/istio/pilot/manifests/1.28.0',
      `GET /v2/hub/istio/pilot/manifests/${DIGEST}`,
    ]);
    expect(repository.requests()).toBe(3);
  });

  it('without a path is asked as the registry would be', async () => {
    const { registry, client } = await startMirrored({}, {}, '');
    expect(await client.repository().resolve()).toBe(DIGEST);
    expect(requestsOf(registry)).toEqual(['HEAD /v2/istio/pilot/manifests/1.28.0']);
  });

  it('gives tokens for the repository as it is asked, to its own credentials', async () => {
    const registry = await startTestRegistry({ tls: TLS, auth: { kind: 'token', account: ACCOUNT } });
    pushTestImage(registry, 'a/hub/istio/pilot');
    const auths = { [registry.host]: { ...ACCOUNT, password: 'other' }, [`${registry.host}/a/hub`]: ACCOUNT };
    const client = createClient('docker.io', {
      endpoint: `${registry.host}/a/hub`,
      others: [{ host: registry.host, ca: TLS.ca, dockerConfig: writeJsonFile({ auths }) }],
    });
    expect(await client.repository().resolve()).toBe(DIGEST);
    const token = registry.requests.find(({ path }) => path.startsWith('/token'));
    expect(new URL(token?.path ?? '', registry.origin).searchParams.get('scope')).toBe(
      'repository:a/hub/istio/pilot:pull',
    );
  });

  it('is paused where it was asked, for what it was asked for', async () => {
    const { registry, client } = await startMirrored();
    pushTestImage(registry, 'hub/istio/proxyv2');
    registry.fault = respondWith(429, { 'retry-after': '60' });
    expect(await faultOf(client.repository().resolve())).toMatchObject({ code: 'rate-limited', asked: true });
    registry.fault = undefined;
    expect(await faultOf(client.repository().resolve())).toEqual({
      code: 'rate-limited',
      asked: false,
      message: `${registry.host}/hub/istio/pilot asked to retry after 60 s`,
    });
    expect(await client.repository('istio/proxyv2').resolve()).toBe(DIGEST);
  });

  it('is followed once: where it leads, is where it is asked', async () => {
    const registry = await startTestRegistry({ tls: TLS });
    pushTestImage(registry);
    const client = createClient('docker.io', {
      endpoint: registry.host,
      others: [{ host: registry.host, ca: TLS.ca, endpoint: 'docker.io' }],
    });
    expect(await client.repository().resolve()).toBe(DIGEST);
  });
});
