import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/image/index.ts';
import type { Fault } from '../support/registry-server.ts';
import { withThirdParty } from '../support/third-party.ts';
import { createTls } from '../support/tls.ts';
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
  startTestRegistry,
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

  it.each([401, 429, 500, 503])('is not asked for again where HEAD answers %d', async (status) => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = onlyHead(respondWith(status));
    expect(await codeOf(client.repository().resolve())).not.toBe('none');
    expect(requestsOf(registry)).toEqual([`HEAD ${BY_TAG}`]);
  });

  it.each([
    [404, 'none'],
    [403, 'refused'],
    [500, 'unavailable'],
  ])('is what GET says where HEAD answers 404 or 403 and GET %d', async (status, code) => {
    for (const head of [403, 404]) {
      const { registry, client } = await startRegistryAndClient();
      registry.fault = (request, response) =>
        respondWith(request.method === 'HEAD' ? head : status)(request, response);
      expect(await faultOf(client.repository().resolve())).toMatchObject({ code });
    }
  });

  it.each([200, 400, 403, 404, 405, 406, 410, 501])(
    'is resolved by GET and hash where HEAD answers %d without a digest',
    async (status) => {
      const { registry, client } = await startRegistryAndClient();
      registry.fault = onlyHead(respondWith(status));
      expect(await client.repository().resolve()).toBe(DIGEST);
      expect(requestsOf(registry)).toEqual([`HEAD ${BY_TAG}`, `GET ${BY_TAG}`]);
    },
  );

  it('is resolved by GET where HEAD is forbidden for every password and token', async () => {
    const account = { username: 'reader', password: 'word' };
    for (const kind of ['basic', 'token'] as const) {
      const { registry, client } = await startRegistryAndClient({
        auth: { kind, account },
        credentials: account,
      });
      registry.fault = (request, response) =>
        request.headers.authorization !== undefined && onlyHead(respondWith(403))(request, response);
      expect(await client.repository().resolve()).toBe(DIGEST);
    }
  });

  it('is resolved by GET where HEAD leads to a store whose links are signed for GET', async () => {
    const tls = createTls();
    const { registry, client } = await startRegistryAndClient({ tls });
    const store = await startTestRegistry({ tls });
    store.fault = (request, response) =>
      respondWith(
        request.method === 'GET' ? 200 : 403,
        { 'content-type': MEDIA_TYPE },
        MANIFEST,
      )(request, response);
    registry.fault = respondWith(307, { location: `${store.origin}/signed-for-get` });
    expect(await client.repository().resolve()).toBe(DIGEST);
  });

  it('is absent where GET does not find it either', async () => {
    const { registry, client } = await startRegistryAndClient();
    await client.repository().resolve();
    registry.clearRequests();
    expect(await client.repository().resolve('nothing')).toBeUndefined();
    const path = '/v2/istio/pilot/manifests/nothing';
    expect(requestsOf(registry)).toEqual([`HEAD ${path}`, `GET ${path}`]);
  });

  it('that a mirror has not fetched yet is asked for by GET, whatever HEAD has found before', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.pushManifest(PATH, '1.29.0', MANIFEST, MEDIA_TYPE);
    await client.repository().resolve('1.29.0');
    registry.fault = onlyHead(respondWith(404));
    expect(await client.repository().resolve()).toBe(DIGEST);
  });

  it('has no digest that a refused HEAD names', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = onlyHead(respondWith(405, { 'docker-content-digest': digestOf('another') }));
    expect(await client.repository().resolve()).toBe(DIGEST);
  });

  it('has no digest where GET declares another than its bytes have', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = (request, response) =>
      respondWith(
        request.method === 'HEAD' ? 405 : 200,
        { 'content-type': MEDIA_TYPE, 'docker-content-digest': digestOf('x') },
        MANIFEST,
      )(request, response);
    expect(await faultOf(client.repository().resolve())).toEqual({
      code: 'answer-invalid',
      asked: true,
      message: `${registry.host}/${PATH}, 1.28.0: the response (${MEDIA_TYPE}) is not the manifest of ${digestOf('x')}`,
    });
  });

  const BAD_DIGESTS = [
    '',
    `sha512:${'a'.repeat(128)}`,
    'sha256:00',
    'latest',
    '"W/abc"',
    `${DIGEST}, ${DIGEST}`,
    DIGEST.toUpperCase(),
  ];

  it.each(BAD_DIGESTS)('has the digest of its bytes where a header says %j', async (digest) => {
    const { registry, client } = await startRegistryAndClient();
    const headers = { 'content-type': MEDIA_TYPE, 'docker-content-digest': digest };
    registry.fault = respondWith(200, headers, MANIFEST);
    expect(await client.repository().resolve()).toBe(DIGEST);
    expect(requestsOf(registry)).toEqual([`HEAD ${BY_TAG}`, `GET ${BY_TAG}`]);
  });

  it.each([...BAD_DIGESTS, digestOf('x')])(
    'of a signature holds what its bytes are, though a header says %j',
    async (digest) => {
      const { registry, client } = await startRegistryAndClient();
      const headers = { 'content-type': MEDIA_TYPE, 'docker-content-digest': digest };
      registry.fault = respondWith(200, headers, MANIFEST);
      expect(await client.repository().tagged()).toMatchObject({ digest: DIGEST });
    },
  );

  it.each(['application/vnd.oci.artifact.manifest.v1+json', `application/${'x'.repeat(60)}+json`])(
    'is no image where a manifest of another kind stands: %s, which is named in full',
    async (type) => {
      const { registry, client } = await startRegistryAndClient();
      registry.fault = respondWith(
        200,
        { 'content-type': type },
        JSON.stringify({ mediaType: type, blobs: [] }),
      );
      expect(await faultOf(client.repository().resolve())).toMatchObject({
        code: 'answer-invalid',
        message: `${registry.host}/${PATH}, 1.28.0: the response (${type}) is not a manifest`,
      });
    },
  );

  it('has the digest of its bytes where no header says one', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = respondWith(
      200,
      { 'content-type': `${MEDIA_TYPE.toUpperCase()}; charset=utf-8` },
      MANIFEST,
    );
    expect(await client.repository().tagged()).toMatchObject({ digest: DIGEST, mediaType: MEDIA_TYPE });
  });

  it.each(['text/html', 'Text/HTML; charset=utf-8', 'application/xhtml+xml'])(
    'does not stand for a page of type %s, whatever its bytes and its headers',
    async (type) => {
      const { registry, client } = await startRegistryAndClient();
      registry.fault = respondWith(200, { 'content-type': type, 'docker-content-digest': DIGEST }, MANIFEST);
      expect(await codeOf(client.repository().tagged())).toBe('answer-invalid');
      expect(await codeOf(client.repository().resolve())).toBe('answer-invalid');
    },
  );

  it.each([
    '<html>Log in</html>',
    '{"error":"login_required"}',
    '{"errors":[{"code":"UNAUTHORIZED"}]}',
    '{"schemaVersion":2}',
    '{"schemaVersion":2,"config":"x","layers":[]}',
    '{"schemaVersion":2,"config":{},"layers":{}}',
    '{"config":{},"layers":[]}',
    '{"schemaVersion":2,"mediaType":"text/html","config":{},"layers":[]}',
    `{"schemaVersion":2,"mediaType":"${MEDIA_TYPE}","manifests":[]}`,
    '[]',
    'null',
    '""',
    '',
  ])('does not stand for what is no manifest, whatever it is called: %s', async (body) => {
    const { registry, client } = await startRegistryAndClient();
    for (const type of ['application/json', 'text/plain', 'application/octet-stream', undefined]) {
      registry.fault = respondWith(200, type === undefined ? {} : { 'content-type': type }, body);
      expect(await codeOf(client.repository().tagged())).toBe('answer-invalid');
      expect(await codeOf(client.repository().resolve())).toBe('answer-invalid');
    }
  });

  it.each([
    'text/plain; charset=utf-8',
    'application/octet-stream',
    'application/pgp-signature',
    'application/json',
    'binary/octet-stream',
    '',
  ])('stands for a manifest that a static server calls %j: its content proves it', async (type) => {
    const { registry, client } = await startRegistryAndClient();
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: DIGEST, size: 2 };
    for (const layers of [[], null]) {
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers }));
      registry.fault = respondWith(200, type === '' ? {} : { 'content-type': type }, bytes);
      const expected = { digest: digestOf(bytes), mediaType: MEDIA_TYPE };
      expect(await client.repository().tagged()).toMatchObject(expected);
      expect(await client.repository().resolve()).toBe(expected.digest);
    }
  });

  it('stands for an index that a static server calls text, by its own type or by its content', async () => {
    const { registry, client } = await startRegistryAndClient();
    const list = 'application/vnd.docker.distribution.manifest.list.v2+json';
    for (const [members, mediaType] of [
      [{ mediaType: list }, list],
      [{}, 'application/vnd.oci.image.index.v1+json'],
    ] as const) {
      const body = JSON.stringify({ schemaVersion: 2, ...members, manifests: [] });
      registry.fault = respondWith(200, { 'content-type': 'text/plain' }, body);
      expect(await client.repository().tagged()).toMatchObject({ digest: digestOf(body), mediaType });
    }
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
