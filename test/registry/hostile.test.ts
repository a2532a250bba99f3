import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createRepository, digestOf } from '../../src/image/index.ts';
import {
  createRegistries,
  createSourceCaller,
  type Registries,
  type RegistryLimits,
  type RegistrySettings,
  SourceFault,
} from '../../src/registry/index.ts';
import { registryLimits } from '../support/registry-limits.ts';
import {
  type Fault,
  type RegistryOptions,
  startRegistry,
  type TestRegistry,
} from '../support/registry-server.ts';
import { createTls } from '../support/tls.ts';

/*
 * Attacks by a registry, or by a server in its place, on its client, over real sockets. The only result may be a typed
 * fault, within the caller's deadline.
 */

const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {},
    layers: [],
  }),
);
const MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const DIGEST = digestOf(MANIFEST);
const BLOB = Buffer.from('signed bytes');

interface Scene {
  readonly registry: TestRegistry;
  readonly registries: Registries;
  readonly repository: {
    manifest(signal?: AbortSignal): Promise<unknown>;
    blob(signal?: AbortSignal): Promise<unknown>;
    resolve(signal?: AbortSignal): Promise<unknown>;
  };
  time: number;
}

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const withRegistry = async (
  options: RegistryOptions & {
    readonly settings?: Partial<RegistrySettings>;
    readonly limits?: Partial<RegistryLimits>;
  } = {},
): Promise<Scene> => {
  const registry = await startRegistry(options);
  const settings = { host: registry.host, plainHttp: options.tls === undefined, ...options.settings };
  const started = { time: Date.now() };
  const registries = createRegistries({
    settings: [options.tls === undefined ? settings : { ca: options.tls.ca, ...settings }],
    limits: { ...registryLimits, requestTimeout: 2000, ...options.limits },
    now: () => started.time,
  });
  opened.push(
    () => registries.close(),
    () => registry.close(),
  );
  registry.pushBlob('istio/pilot', BLOB);
  registry.pushManifest('istio/pilot', '1.28.0', MANIFEST, MEDIA_TYPE);
  const source = registries.open(createRepository(registry.host, 'istio/pilot'), createSourceCaller());
  const patience = (): AbortSignal => AbortSignal.timeout(5000);
  return Object.assign(started, {
    registry,
    registries,
    repository: {
      manifest: (signal = patience()) => source.manifest({ digest: DIGEST }, signal),
      blob: (signal = patience()) => source.blob(digestOf(BLOB), signal),
      resolve: (signal = patience()) => source.resolve('1.28.0', signal),
    },
  });
};

/** The fault that a request ends with: its code, and whether it was sent. Any other error fails the test. */
const faultOf = async (
  result: Promise<unknown>,
): Promise<{ readonly code: string; readonly asked: boolean; readonly message: string }> => {
  try {
    return { code: 'none', asked: true, message: JSON.stringify(await result) };
  } catch (error) {
    if (!(error instanceof SourceFault)) throw error;
    return { code: error.code, asked: error.asked, message: error.message };
  }
};

const codeOf = async (result: Promise<unknown>): Promise<string> => (await faultOf(result)).code;

const answering =
  (status: number, headers: Readonly<Record<string, string>>, body: string | Buffer = ''): Fault =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };

describe('an answer that is no answer', () => {
  it('is refused where it is declared too long, before its body is read', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': MEDIA_TYPE, 'content-length': String(1024 ** 3) }).write('{');
      return true;
    };
    expect(await codeOf(repository.manifest())).toBe('answer-invalid');
  });

  it('is cut off where it never ends', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': MEDIA_TYPE });
      const pour = (): void => {
        while (response.write(Buffer.alloc(16_384)));
        response.once('drain', pour);
      };
      pour();
      return true;
    };
    expect(await faultOf(repository.manifest())).toMatchObject({ code: 'answer-invalid', asked: true });
  });

  it('ends with the caller’s time where it drips', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': MEDIA_TYPE });
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(timer));
      return true;
    };
    expect(await faultOf(repository.manifest(AbortSignal.timeout(200)))).toMatchObject({
      code: 'deadline',
      asked: true,
    });
  });

  it('ends with the caller’s time where nothing comes', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = () => true;
    expect(await faultOf(repository.manifest(AbortSignal.timeout(200)))).toMatchObject({
      code: 'deadline',
      asked: true,
    });
  });

  it('is given up after a request’s own time where the caller has more', async () => {
    const { registry, repository } = await withRegistry({ limits: { requestTimeout: 200 } });
    registry.fault = () => true;
    expect(await codeOf(repository.manifest())).toBe('unavailable');
  });

  it('is refused where its bytes are not those of the digest', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = answering(
      200,
      { 'content-type': MEDIA_TYPE, 'docker-content-digest': DIGEST },
      '{"schemaVersion":2}',
    );
    expect(await codeOf(repository.manifest())).toBe('answer-invalid');
    registry.fault = answering(200, { 'content-type': 'application/octet-stream' }, 'other bytes');
    expect(await codeOf(repository.blob())).toBe('answer-invalid');
  });

  it('is refused where a tag’s digest header is not that of its bytes', async () => {
    const { registry, registries } = await withRegistry();
    const source = registries.open(createRepository(registry.host, 'istio/pilot'), createSourceCaller());
    registry.fault = (request, response) =>
      answering(
        request.method === 'HEAD' ? 404 : 200,
        { 'content-type': MEDIA_TYPE, 'docker-content-digest': digestOf('another') },
        MANIFEST,
      )(request, response);
    expect(await codeOf(source.resolve('1.28.0', AbortSignal.timeout(5000)))).toBe('answer-invalid');
  });

  it('is refused where it is shorter than declared', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': MEDIA_TYPE, 'content-length': String(MANIFEST.length + 10) });
      response.write(MANIFEST, () => response.destroy());
      return true;
    };
    expect(await codeOf(repository.manifest())).toBe('answer-invalid');
  });

  it('is refused where it is compressed', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = answering(
      200,
      { 'content-type': MEDIA_TYPE, 'content-encoding': 'gzip' },
      gzipSync(MANIFEST),
    );
    expect(await codeOf(repository.manifest())).toBe('answer-invalid');
  });

  it('is refused where it says that it is compressed, though its bytes are those of the digest', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = answering(200, { 'content-encoding': 'gzip' }, BLOB);
    expect(await codeOf(repository.blob())).toBe('answer-invalid');
  });

  it('is refused where it is a login page', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = answering(200, { 'content-type': 'text/html' }, '<html>log in</html>');
    expect(await codeOf(repository.manifest())).toBe('answer-invalid');
    expect(await codeOf(repository.resolve())).toBe('answer-invalid');
  });
});

describe('a redirect', () => {
  it('in a circle ends', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = (request, response) => {
      response.writeHead(307, { location: request.url ?? '' }).end();
      return true;
    };
    expect(await codeOf(repository.blob())).toBe('refused');
    expect(registry.requests.length).toBe(registryLimits.redirects + 1);
  });

  it('to plain HTTP elsewhere is not followed', async () => {
    const { registry, repository } = await withRegistry({ tls: createTls() });
    const other = await startRegistry();
    opened.push(() => other.close());
    registry.fault = answering(307, { location: `${other.origin}/v2/istio/pilot/blobs/${digestOf(BLOB)}` });
    expect(await codeOf(repository.blob())).toBe('refused');
    expect(other.requests).toEqual([]);
  });

  it('to another host over https is followed, and learns no credentials', async () => {
    const tls = createTls();
    const { registry, repository } = await withRegistry({ tls, auth: { kind: 'token' } });
    const store = await startRegistry({ tls });
    opened.push(() => store.close());
    store.pushBlob('istio/pilot', BLOB);
    const path = `/v2/istio/pilot/blobs/${digestOf(BLOB)}`;
    registry.fault = (request, response) => {
      if (request.url !== path || request.headers.authorization === undefined) return false;
      response.writeHead(307, { location: `${store.origin}${path}` }).end();
      return true;
    };
    expect(await repository.blob()).toEqual(BLOB);
    expect(store.requests).toEqual([{ method: 'GET', path, authorization: undefined }]);
  });

  it.each([
    '169.254.169.254',
    '[fe80::1]',
    '[::ffff:169.254.169.254]',
    '100.100.100.200',
    '0.0.0.0',
    '[fd00:ec2::254]',
  ])('to %s is never followed', async (address) => {
    const { registry, repository } = await withRegistry({ tls: createTls() });
    registry.fault = answering(307, { location: `https://${address}/latest/meta-data` });
    expect(await faultOf(repository.blob(AbortSignal.timeout(1000)))).toMatchObject({ code: 'refused' });
  });
});

describe('a challenge', () => {
  const challenge = (realm: string): Fault =>
    answering(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` });

  it('that names a realm on another host is not followed, and says what to configure', async () => {
    const { registry, repository } = await withRegistry();
    registry.fault = challenge('https://token.example.net/token');
    const fault = await faultOf(repository.manifest());
    expect(fault).toMatchObject({ code: 'refused' });
    expect(fault.message).toContain('tokenRealms');
    expect(fault.message).toContain('token.example.net');
  });

  it.each(['http://169.254.169.254/token', 'https://169.254.169.254/token', 'https://[fe80::1]/token'])(
    'that names %s is never followed, even where it is configured',
    async (realm) => {
      const { registry, repository } = await withRegistry({
        settings: { tokenRealms: ['169.254.169.254', '[fe80::1]'] },
      });
      registry.fault = challenge(realm);
      expect(await codeOf(repository.manifest(AbortSignal.timeout(1000)))).toBe('refused');
    },
  );

  it('without end is met once', async () => {
    const { registry, repository } = await withRegistry({ auth: { kind: 'token' } });
    registry.fault = (request, response) => {
      if (request.url?.startsWith('/token') === true) return false;
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="${registry.origin}/token",service="x"` })
        .end();
      return true;
    };
    expect(await codeOf(repository.manifest())).toBe('refused');
    expect(registry.requests.map(({ path }) => path.startsWith('/token'))).toEqual([false, true, false]);
  });
});

describe('a registry that asks for a pause', () => {
  it('with 429 and Retry-After is left alone until it is over', async () => {
    const started = await withRegistry();
    started.registry.fault = answering(429, { 'retry-after': '30' });
    expect(await codeOf(started.repository.manifest())).toBe('rate-limited');
    started.registry.fault = undefined;
    expect(await faultOf(started.repository.manifest())).toMatchObject({
      code: 'rate-limited',
      asked: false,
    });
    expect(started.registry.requests.length).toBe(1);
    started.time += 30_001;
    expect(await started.repository.resolve()).toBe(DIGEST);
  });
});

describe('a registry that fails again and again', () => {
  it('is not asked for a while, then by one request', async () => {
    const started = await withRegistry();
    started.registry.fault = answering(503, {});
    for (let tries = 0; tries < 5; tries += 1)
      expect(await codeOf(started.repository.manifest())).toBe('unavailable');
    expect(await faultOf(started.repository.manifest())).toMatchObject({ code: 'unavailable', asked: false });
    expect(started.registry.requests.length).toBe(5);
    started.time += 60_000;
    started.registry.fault = undefined;
    expect(await started.repository.resolve()).toBe(DIGEST);
  });
});
