import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/image/index.ts';
import type { Fault } from '../support/registry-server.ts';
import { withThirdParty } from '../support/third-party.ts';
import {
  BLOB,
  BLOB_PATH,
  codeOf,
  DIGEST,
  faultOf,
  MANIFEST,
  MEDIA_TYPE,
  PATH,
  requestsOf,
  respondWith,
  startRegistryAndClient,
} from './test-client.ts';

const BY_TAG = '/v2/istio/pilot/manifests/1.28.0';
const BY_DIGEST = `/v2/istio/pilot/manifests/${DIGEST}`;

/** Applies a fault to HEAD requests only. */
const onlyHead =
  (fault: Fault): Fault =>
  (request, response) =>
    request.method === 'HEAD' && fault(request, response);

describe('what is not there', () => {
  it('is undefined, whatever the registry calls it', async () => {
    const { registry, client } = await startRegistryAndClient();
    const nowhere = client.repository('istio/nothing');
    expect(await nowhere.resolve()).toBeUndefined();
    expect(await nowhere.manifest()).toBeUndefined();
    expect(await nowhere.tagged()).toBeUndefined();
    expect(await nowhere.blob()).toBeUndefined();
    const bodies = [
      respondWith(404),
      respondWith(404, {}, '404 page not found'),
      respondWith(404, { 'content-type': 'text/html' }, '<html>'),
      respondWith(404, { 'content-encoding': 'gzip' }, 'not gzip at all'),
      respondWith(404, {}, Buffer.alloc(1024 * 1024)),
    ];
    for (const fault of bodies) {
      registry.fault = fault;
      expect(await client.repository().manifest()).toBeUndefined();
    }
  });
});

describe('a connection', () => {
  it('serves one request after another, whatever its method and answer', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    const ports = new Set<number | undefined>();
    registry.fault = (request) => {
      ports.add(request.socket.remotePort);
      return false;
    };
    for (const path of [PATH, 'istio/nothing', PATH]) {
      const repository = client.repository(path);
      await repository.resolve();
      await repository.manifest();
      await repository.blob();
    }
    expect(registry.requests.length).toBeGreaterThan(9);
    expect(ports.size).toBe(1);
  });
});

describe('a status that is no answer', () => {
  it.each([
    [400, 'answer-invalid'],
    [403, 'refused'],
    [204, 'answer-invalid'],
    [206, 'answer-invalid'],
    [304, 'answer-invalid'],
    [405, 'answer-invalid'],
    [418, 'answer-invalid'],
    [429, 'rate-limited'],
    [500, 'unavailable'],
    [501, 'unavailable'],
    [503, 'unavailable'],
  ])('%d is %s', async (status, code) => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(status);
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code, asked: true });
  });

  withThirdParty<{ readonly errorBodies: readonly { readonly code: number; readonly body: string }[] }>(
    ['registry-auth', 'transport.json'],
    ({ errorBodies }) => {
      it.each(errorBodies)('$code is what it is, whatever its body: $body', async ({ code, body }) => {
        const { registry, client } = await startRegistryAndClient();
        registry.fault = respondWith(code, { 'content-type': 'application/json' }, body);
        const expected = { 400: 'answer-invalid', 401: 'refused', 404: 'none' }[code];
        expect(await codeOf(client.repository().manifest())).toBe(expected);
      });
    },
  );

  it('503 with Retry-After is a pause, and unavailable until it is over', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(503, { 'retry-after': '7' });
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'unavailable', asked: true });
    registry.fault = undefined;
    registry.clearRequests();
    expect(await faultOf(client.repository().manifest())).toEqual({
      code: 'unavailable',
      asked: false,
      message: `${registry.host}/${PATH} asked to retry after 7 s`,
    });
    expect(registry.requests).toEqual([]);
    client.time += 7_000;
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it('429 with a date is a pause until then', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(429, { 'retry-after': new Date(client.time + 9_000).toUTCString() });
    expect(await codeOf(client.repository().manifest())).toBe('rate-limited');
    registry.fault = undefined;
    registry.clearRequests();
    client.time += 8_999;
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'rate-limited',
      asked: false,
    });
    expect(registry.requests).toEqual([]);
    client.time += 1;
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });
});

describe('a tag', () => {
  it('is resolved by one HEAD', async () => {
    const { registry, client } = await startRegistryAndClient();
    const repository = client.repository();
    expect(await repository.resolve()).toBe(DIGEST);
    expect(requestsOf(registry)).toEqual([`HEAD ${BY_TAG}`]);
    expect(repository.requests()).toBe(1);
  });

  it.each([200, 405, 501])(
    'is resolved by GET and hash where HEAD answers %d without a digest',
    async (status) => {
      const { registry, client } = await startRegistryAndClient();
      registry.fault = onlyHead(respondWith(status));
      expect(await client.repository().resolve()).toBe(DIGEST);
      expect(requestsOf(registry)).toEqual([`HEAD ${BY_TAG}`, `GET ${BY_TAG}`]);
    },
  );

  it('has no digest that a refused HEAD names', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = onlyHead(respondWith(405, { 'docker-content-digest': digestOf('another') }));
    expect(await client.repository().resolve()).toBe(DIGEST);
  });

  it.each(['sha512:00', 'sha256:00', 'latest', `${DIGEST}, ${DIGEST}`, DIGEST.toUpperCase()])(
    'with the digest %s is no answer',
    async (digest) => {
      const { registry, client } = await startRegistryAndClient();
      registry.fault = onlyHead(respondWith(200, { 'docker-content-digest': digest }));
      expect(await codeOf(client.repository().resolve())).toBe('answer-invalid');
    },
  );

  it('of a manifest is not looked at where its header says another digest than its bytes', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(
      200,
      { 'content-type': MEDIA_TYPE, 'docker-content-digest': digestOf('x') },
      MANIFEST,
    );
    expect(await faultOf(client.repository().tagged())).toMatchObject({ code: 'answer-invalid' });
  });

  it('has the digest of its bytes where no header says one', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(
      200,
      { 'content-type': `${MEDIA_TYPE.toUpperCase()}; charset=utf-8` },
      MANIFEST,
    );
    expect(await client.repository().tagged()).toMatchObject({ digest: DIGEST, mediaType: MEDIA_TYPE });
  });

  it('does not stand for a page, whatever the digest of its bytes', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(200, { 'content-type': 'text/html' }, MANIFEST);
    expect(await codeOf(client.repository().tagged())).toBe('answer-invalid');
  });
});

describe('a digest', () => {
  it('is asked for as it is written, for manifests of every kind', async () => {
    const { registry, client } = await startRegistryAndClient();
    let accept: string | undefined;
    registry.fault = (request) => {
      ({ accept } = request.headers);
      return false;
    };
    const manifest = await client.repository().manifest();
    expect(manifest).toEqual({ digest: DIGEST, mediaType: MEDIA_TYPE, bytes: MANIFEST });
    expect(requestsOf(registry)).toEqual([`GET ${BY_DIGEST}`]);
    expect(accept?.split(', ')).toEqual([
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.oci.image.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
    ]);
  });

  it('proves its bytes, whatever they are called and whatever the header says', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(
      200,
      { 'content-type': 'text/plain', 'docker-content-digest': digestOf('x') },
      MANIFEST,
    );
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it('does not prove what is said to be compressed', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(200, { 'content-type': MEDIA_TYPE, 'content-encoding': 'gzip' }, MANIFEST);
    expect(await faultOf(client.repository().manifest())).toEqual({
      code: 'answer-invalid',
      asked: true,
      message: `${registry.host}: the response is compressed (gzip), which the request did not accept`,
    });
  });

  it('of a blob proves it', async () => {
    const { registry, client } = await startRegistryAndClient();
    expect(await client.repository().blob()).toEqual(BLOB);
    expect(requestsOf(registry)).toEqual([`GET ${BLOB_PATH}`]);
    registry.fault = respondWith(200, {}, `${BLOB.toString()}.`);
    expect(await codeOf(client.repository().blob())).toBe('answer-invalid');
  });
});
