import { describe, expect, it } from 'vitest';
import { createRepository, type Digest, digestOf } from '../../../src/image/index.ts';
import {
  createRegistries,
  createSourceCaller,
  type Referrers,
  type RegistryLimits,
} from '../../../src/registry/index.ts';
import { BUNDLE_TYPE, bundleManifest, fallbackTag, pushFallbackIndex } from '../../support/bundle-kit.ts';
import { registryLimits } from '../../support/registry-limits.ts';
import type { Fault, RegistryOptions, TestRegistry } from '../../support/registry-server.ts';
import { type Artifact, push } from '../../support/signing-kit.ts';
import {
  closeAfterTest,
  codeOf,
  DIGEST,
  faultOf,
  MANIFEST,
  MEDIA_TYPE,
  PATH,
  pushTestImage,
  respondWith,
  startTestRegistry,
} from '../test-client.ts';

const ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const NOTHING: Referrers = { descriptors: [], more: false };
const API = `GET /v2/${PATH}/referrers/${DIGEST}`;
const TAG = `GET /v2/${PATH}/manifests/${fallbackTag(DIGEST)}`;
const TEN_MINUTES = 600_000;

interface ReferrersRegistry {
  readonly registry: TestRegistry;
  /** The clock, in milliseconds; the test sets it. */
  time: number;
  list(
    path?: string,
    signal?: AbortSignal,
    isLikely?: (artifactType: string | undefined) => boolean,
    digest?: Digest,
  ): Promise<Referrers>;
  /** Resolves a tag, which may not exist. */
  resolve(path?: string): Promise<unknown>;
  /** Removes and returns the requests since the previous call, in full. */
  takeRequests(): readonly string[];
}

/** A registry with an image and a number of referrers, and a client that lists them. */
const startRegistryWithReferrers = async (
  options: RegistryOptions & { readonly limits?: Partial<RegistryLimits> } = {},
): Promise<ReferrersRegistry> => {
  const registry = await startTestRegistry(options);
  pushTestImage(registry);
  const registries = closeAfterTest(
    createRegistries({
      settings: [{ host: registry.host, plainHttp: true }],
      limits: { ...registryLimits, ...options.limits },
      now: () => opened.time,
    }),
  );
  const open = (path: string) => registries.open(createRepository(registry.host, path), createSourceCaller());
  const opened: ReferrersRegistry = {
    registry,
    time: 1_800_000_000_000,
    list: (path = PATH, signal = AbortSignal.timeout(5000), isLikely = () => false, digest = DIGEST) =>
      open(path).referrers(digest, signal, isLikely),
    resolve: (path = PATH) => open(path).resolve('1.28.0', AbortSignal.timeout(5000)),
    takeRequests: () => registry.requests.splice(0).map(({ method, path }) => `${method} ${path}`),
  };
  return opened;
};

const manifestOf = (name: string, artifactType: string | null = BUNDLE_TYPE): Artifact =>
  bundleManifest(Buffer.from(name), DIGEST, { artifactType });
const descriptorOf = ({ digest }: Artifact, artifactType: string | undefined = BUNDLE_TYPE) => ({
  digest,
  artifactType,
});
const pushed = (registry: TestRegistry, count: number): readonly Artifact[] => {
  const all = Array.from({ length: count }, (_, place) => manifestOf(`bundle ${place}`));
  for (const each of all) push(registry, PATH, each);
  return all;
};
const page = (manifests: readonly unknown[]): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
const listing = (body: string, headers: Readonly<Record<string, string>> = {}): Fault =>
  respondWith(200, { 'content-type': INDEX, ...headers }, body);
/** Applies a fault to the referrers API only. */
const onlyReferrersApi =
  (fault: Fault): Fault =>
  (request, response) =>
    request.url?.includes('/referrers/') === true && fault(request, response);

describe('a list of referrers is a fault', () => {
  it.each<[string, Fault, string]>([
    ['forbidden', respondWith(403), 'refused'],
    ['unauthorised', respondWith(401), 'refused'],
    ['failing', respondWith(500), 'unavailable'],
    ['away for a while', respondWith(503, { 'retry-after': '7' }), 'unavailable'],
    ['rate-limited', respondWith(429), 'rate-limited'],
    ['a redirect to nowhere', respondWith(302), 'answer-invalid'],
    ['gone', respondWith(410), 'answer-invalid'],
    ['no index', listing('{"manifests":{}}'), 'answer-invalid'],
    ['no JSON', listing('<html>'), 'answer-invalid'],
    [
      'not UTF-8',
      (_, response) => {
        response.writeHead(200, { 'content-type': INDEX }).end(Buffer.from([0x7b, 0xff, 0x7d]));
        return true;
      },
      'answer-invalid',
    ],
    ['compressed', listing('x', { 'content-encoding': 'gzip' }), 'answer-invalid'],
  ])('where it is %s, and the fallback tag is not asked', async (_, fault, code) => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    registry.fault = onlyReferrersApi(fault);
    expect(await codeOf(list())).toBe(code);
    expect(takeRequests().filter((line) => line === TAG)).toEqual([]);
  });

  it('where no time is left for it', async () => {
    const { list } = await startRegistryWithReferrers();
    expect(await codeOf(list(PATH, AbortSignal.abort()))).toBe('deadline');
  });

  it.each([
    ['a login page', respondWith(200, { 'content-type': 'text/html' }, '<html>Log in</html>')],
    ['a login page in JSON', respondWith(200, { 'content-type': 'application/json' }, '{"error":"log in"}')],
    ['JSON with a version alone', respondWith(200, { 'content-type': 'text/plain' }, '{"schemaVersion":1}')],
    [
      'a page that calls itself a manifest inside',
      respondWith(200, { 'content-type': 'text/html' }, `{"mediaType":"${ARTIFACT}"}`),
    ],
    ['JSON with a type of pages', respondWith(200, {}, '{"mediaType":"text/html"}')],
    ['no JSON, declared to be an artifact', respondWith(200, { 'content-type': ARTIFACT }, '<html>')],
    ['forbidden', respondWith(403)],
    ['failing', respondWith(500)],
  ])('where under the fallback tag stands %s', async (_, fault) => {
    const { registry, list } = await startRegistryWithReferrers({ referrersApi: false });
    registry.fault = (request, response) =>
      request.url?.includes(fallbackTag(DIGEST)) === true && fault(request, response);
    expect(await codeOf(list())).not.toBe('none');
  });
});

describe('a list of referrers', () => {
  it('is empty where nothing refers', async () => {
    const { list, takeRequests } = await startRegistryWithReferrers();
    expect(await list()).toEqual(NOTHING);
    expect(takeRequests()).toEqual([API]);
  });

  it('holds all that refer, whatever they say they are', async () => {
    const { registry, list } = await startRegistryWithReferrers();
    const types = [BUNDLE_TYPE, 'application/vnd.example.sbom', null];
    const all = types.map((type) => manifestOf(`of ${type}`, type));
    for (const each of all) push(registry, PATH, each);
    expect(await list()).toEqual({
      descriptors: all.map((each, place) => ({
        digest: each.digest,
        artifactType: types[place] ?? undefined,
      })),
      more: false,
    });
  });

  it('is empty where its manifests are null, as Go writes an empty list', async () => {
    const { registry, list } = await startRegistryWithReferrers();
    registry.fault = onlyReferrersApi(listing('{"schemaVersion":2,"manifests":null}'));
    expect(await list()).toEqual(NOTHING);
  });

  it('leaves out what is no descriptor of a sha256 digest', async () => {
    const { registry, list } = await startRegistryWithReferrers();
    const good = digestOf('good');
    registry.fault = listing(
      page([
        null,
        1,
        'x',
        [],
        {},
        { digest: 1 },
        { digest: `sha512:${'0'.repeat(128)}` },
        { digest: good.toUpperCase() },
        { digest: good, artifactType: 7 },
      ]),
    );
    expect(await list()).toEqual({ descriptors: [{ digest: good, artifactType: undefined }], more: false });
  });
});

describe('what stands under the fallback tag and is no list of referrers', () => {
  const CONFIG = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: DIGEST, size: 2 };
  const child = { mediaType: MEDIA_TYPE, digest: digestOf('child'), size: 1 };
  const IMAGE_INDEX = Buffer.from(page([child]));

  it.each<[string, Buffer, string]>([
    ['the manifest of another image', manifestOf('other').bytes, MEDIA_TYPE],
    [
      'a manifest without a type',
      Buffer.from(JSON.stringify({ schemaVersion: 2, config: CONFIG, layers: [] })),
      'text/plain',
    ],
    ['a manifest with the type of an index', Buffer.from('{"layers":[]}'), INDEX],
    [
      'a manifest with null for its manifests',
      Buffer.from(JSON.stringify({ config: CONFIG, manifests: null })),
      MEDIA_TYPE,
    ],
    ['no JSON', Buffer.from('nothing'), INDEX],
    ['an artifact manifest', Buffer.from(`{"mediaType":"${ARTIFACT}","blobs":[]}`), ARTIFACT],
    ['an artifact manifest by its type', Buffer.from('{"blobs":[]}'), ARTIFACT],
    [
      'a Docker manifest of schema 1',
      Buffer.from('{"schemaVersion":1,"name":"x","fsLayers":[]}'),
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    ],
    [
      'JSON with a type of its own',
      Buffer.from('{"schemaVersion":2,"mediaType":"application/vnd.example+json"}'),
      'application/json',
    ],
  ])('is no fault: %s', async (_, bytes, mediaType) => {
    const { registry, list } = await startRegistryWithReferrers({ referrersApi: false });
    registry.pushManifest(PATH, fallbackTag(DIGEST), bytes, mediaType);
    expect(await list()).toEqual(NOTHING);
  });

  it.each<[string, Buffer, string]>([
    ['manifest', MANIFEST, MEDIA_TYPE],
    ['index, whose children do not refer to it', IMAGE_INDEX, INDEX],
  ])('is the image itself, as GitLab resolves that tag: its %s', async (_, bytes, mediaType) => {
    const { registry, list } = await startRegistryWithReferrers({ referrersApi: false });
    const image = digestOf(bytes);
    registry.pushManifest(PATH, fallbackTag(image), bytes, mediaType);
    expect(await list(PATH, AbortSignal.timeout(5000), () => false, image)).toEqual(NOTHING);
  });
});

describe('a list of referrers that is too long', () => {
  const long = listing(page([{ a: 'x'.repeat(64 * 1024) }]));

  it('is not read, and told to be longer', async () => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    registry.fault = onlyReferrersApi(long);
    expect(await list()).toEqual({ descriptors: [], more: true });
    expect(takeRequests()).toEqual([API]);
  });

  it('under the fallback tag neither', async () => {
    const { registry, list } = await startRegistryWithReferrers({ referrersApi: false });
    registry.fault = (request, response) =>
      request.url?.includes(fallbackTag(DIGEST)) === true && long(request, response);
    expect(await list()).toEqual({ descriptors: [], more: true });
  });

  it('is read up to the page that is too long', async () => {
    const { registry, list } = await startRegistryWithReferrers({ pageSize: 1 });
    const [first] = pushed(registry, 2);
    registry.fault = (request, response) =>
      request.url?.includes('last=') === true && long(request, response);
    expect(await list()).toEqual({ descriptors: [descriptorOf(first as Artifact)], more: true });
  });

  it('is read to signatureBytes in all its pages', async () => {
    const limits = { signatureBytes: 100_000 };
    const { registry, list, takeRequests } = await startRegistryWithReferrers({ limits });
    const body = page([{ digest: DIGEST, annotations: { a: 'x'.repeat(30_000) } }]);
    registry.fault = listing(body, { link: '<?last=1>; rel="next"' });
    expect(await list()).toEqual({
      descriptors: [{ digest: DIGEST, artifactType: undefined }],
      more: true,
    });
    expect(takeRequests()).toHaveLength(4);
  });

  it('keeps a thousand of those that are likely, wherever they stand, and of the others', async () => {
    const limits = {
      manifestBytes: 1024 * 1024,
      signatureBytes: 1024 * 1024,
      signatureManifestBytes: 1024 * 1024,
    };
    const { registry, list } = await startRegistryWithReferrers({ limits });
    const other = (at: number) => ({ digest: digestOf(`${at}`), artifactType: 'x' });
    const likely = { digest: digestOf('likely'), artifactType: 'wanted' };
    const others = Array.from({ length: 5000 }, (_, at) => other(at));
    registry.fault = listing(page([...others, likely, { ...likely }, ...others]));
    expect(await list(PATH, AbortSignal.timeout(5000), (type) => type === 'wanted')).toEqual({
      descriptors: [likely, ...others.slice(0, 1000)],
      more: true,
    });
  });
});

describe('pages of referrers', () => {
  it.each<[string, Fault, string]>([
    ['no list', respondWith(404), 'answer-invalid'],
    ['rate-limited', respondWith(429, { 'retry-after': '30' }), 'rate-limited'],
    ['failing', respondWith(500), 'unavailable'],
    ['refused', respondWith(401), 'refused'],
  ])('count where a later one is %s, and its fault is told', async (_, fault, code) => {
    const { registry, list } = await startRegistryWithReferrers({ pageSize: 1 });
    const [first] = pushed(registry, 2);
    registry.fault = (request, response) =>
      request.url?.includes('last=') === true && fault(request, response);
    const listed = await list();
    expect({ ...listed, fault: listed.fault?.code }).toEqual({
      descriptors: [descriptorOf(first as Artifact)],
      more: true,
      fault: code,
    });
  });

  it('are a fault where a later one does not come in time', async () => {
    const { registry, list } = await startRegistryWithReferrers({ pageSize: 1 });
    pushed(registry, 2);
    registry.fault = (request) => request.url?.includes('last=') === true;
    expect(await codeOf(list(PATH, AbortSignal.timeout(300)))).toBe('deadline');
  });

  it('are read one after another', async () => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers({ pageSize: 2 });
    const all = pushed(registry, 5);
    expect(await list()).toEqual({ descriptors: all.map((each) => descriptorOf(each)), more: false });
    expect(takeRequests()).toEqual([API, `${API}?last=2`, `${API}?last=4`]);
  });

  it('are read one after another where their links name no relation', async () => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    registry.fault = (request, response) =>
      listing(page([]), request.url?.includes('last=') === true ? {} : { link: '<?last=1>' })(
        request,
        response,
      );
    expect(await list()).toEqual(NOTHING);
    expect(takeRequests()).toEqual([API, `${API}?last=1`]);
  });

  it('are read to the limit, and the rest is told', async () => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers({
      pageSize: 1,
      limits: { referrerPages: 3 },
    });
    const all = pushed(registry, 4);
    expect(await list()).toEqual({
      descriptors: all.slice(0, 3).map((each) => descriptorOf(each)),
      more: true,
    });
    expect(takeRequests()).toHaveLength(3);
    const { registry: fitting, list: listFitting } = await startRegistryWithReferrers({
      pageSize: 1,
      limits: { referrerPages: 3 },
    });
    pushed(fitting, 3);
    expect(await listFitting()).toMatchObject({ more: false });
  });

  it.each([
    ['the same page', '<>; rel="next"'],
    ['the same page by its path', `</v2/${PATH}/referrers/${DIGEST}>; rel="next"`],
    ['a page with the same name for ever', '<?last=1>; rel=next'],
  ])('end at the limit where each leads to %s', async (_, link) => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers({
      limits: { referrerPages: 4 },
    });
    registry.fault = listing(page([{ digest: DIGEST }]), { link });
    expect(await list()).toMatchObject({ more: true });
    expect(takeRequests()).toHaveLength(4);
  });

  it.each([
    ['another host', '<http://elsewhere.example:9/v2/x/referrers/y?last=1>; rel="next"'],
    ['another host without a scheme', '<//elsewhere.example:9/?last=1>; rel="next"'],
    ['another repository', `</v2/somebody/elses/referrers/${DIGEST}?last=1>; rel="next"`],
    ['another resource', '<../../../../token?last=1>; rel="next"'],
    ['the cloud’s own', '<http://169.254.169.254/latest/meta-data?last=1>; rel="next"'],
  ])('are pages of this list though they lead to %s', async (_, link) => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    registry.fault = (request, response) =>
      listing(page([]), request.url?.includes('last=') === true ? {} : { link })(request, response);
    expect(await list()).toEqual(NOTHING);
    expect(takeRequests()).toEqual([API, `${API}?last=1`]);
  });

  it.each([
    ['leads back', '<?last=1>; rel="prev"'],
    ['is no link', 'last=1'],
    ['has no end', '<?last=1; rel="next"'],
    ['is empty', ''],
  ])('are one where the link %s', async (_, link) => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    registry.fault = listing(page([]), { link });
    expect(await list()).toEqual(NOTHING);
    expect(takeRequests()).toEqual([API]);
  });

  it.each([
    ['in one header', (link: string) => link],
    ['in several headers', (link: string) => [link.slice(0, 4096), `<?last=2>; title="${link.slice(4096)}"`]],
  ])('are invalid where the links are longer than 8192 bytes, %s', async (_, split) => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    registry.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': INDEX, link: split('<'.repeat(8193)) }).end(page([]));
      return true;
    };
    expect(await faultOf(list())).toEqual({
      code: 'answer-invalid',
      asked: true,
      message: `${registry.host}/${PATH}: the Link header of the referrers is longer than 8192 bytes`,
    });
    expect(takeRequests()).toEqual([API]);
  });

  it('are read where the link is of 8192 bytes', async () => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    const link = '<?last=1>; rel="next"; title="'.padEnd(8191, '<') + '"';
    registry.fault = (request, response) =>
      listing(page([]), request.url?.includes('last=') === true ? {} : { link })(request, response);
    expect(await list()).toEqual(NOTHING);
    expect(takeRequests()).toEqual([API, `${API}?last=1`]);
  });

  it('are found among several links, in one header or several', async () => {
    for (const link of [
      '<?last=0>; rel="prev", <?last=1>; title="a"; rel="next"',
      ['<?last=0>; rel="prev"', '<?last=1>; rel="next"'],
    ]) {
      const { registry, list, takeRequests } = await startRegistryWithReferrers();
      registry.fault = (request, response) => {
        const isFirst = request.url?.includes('last=') === false;
        response.writeHead(200, { 'content-type': INDEX, ...(isFirst ? { link } : {}) }).end(page([]));
        return true;
      };
      expect(await list()).toEqual(NOTHING);
      expect(takeRequests()).toEqual([API, `${API}?last=1`]);
    }
  });
});

describe('a registry without the referrers API', () => {
  it.each<[string, Fault]>([
    ['404', respondWith(404)],
    ['404 with a page', respondWith(404, { 'content-type': 'text/html' }, '<html>not found</html>')],
    ['404 with a page without end', respondWith(404, {}, Buffer.alloc(1024 * 1024))],
    ['404 that calls itself an index', respondWith(404, { 'content-type': INDEX }, page([]))],
    ['405', respondWith(405)],
    ['406', respondWith(406)],
    ['400', respondWith(400)],
    ['501', respondWith(501)],
    ['200 with a page', respondWith(200, { 'content-type': 'text/html' }, '<html>log in</html>')],
    [
      '200 with JSON of its own',
      respondWith(200, { 'content-type': 'application/json' }, '{"manifests":[]}'),
    ],
    ['200 with nothing', respondWith(200)],
  ])('that answers %s is asked for the fallback tag', async (_, fault) => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    const bundle = manifestOf('bundle');
    pushFallbackIndex(registry, PATH, DIGEST, [bundle], BUNDLE_TYPE);
    registry.fault = onlyReferrersApi(fault);
    expect(await list()).toEqual({ descriptors: [descriptorOf(bundle)], more: false });
    expect(takeRequests()).toEqual([API, TAG]);
  });

  it('has none where nothing stands under the tag', async () => {
    const { list, takeRequests } = await startRegistryWithReferrers({ referrersApi: false });
    expect(await list()).toEqual(NOTHING);
    expect(takeRequests()).toEqual([API, TAG]);
  });

  it('is not asked for it again, in this repository', async () => {
    const { list, takeRequests } = await startRegistryWithReferrers({ referrersApi: false });
    await list();
    takeRequests();
    await list();
    expect(takeRequests()).toEqual([TAG]);
  });

  it('is asked for it in every other repository, whatever was found in the first', async () => {
    const { registry, list, resolve, takeRequests } = await startRegistryWithReferrers({
      referrersApi: false,
    });
    pushFallbackIndex(registry, PATH, DIGEST, [manifestOf('bundle')]);
    await resolve();
    await list();
    takeRequests();
    pushTestImage(registry, 'istio/proxyv2');
    const other = [API, TAG].map((line) => line.replace(PATH, 'istio/proxyv2'));
    await list('istio/proxyv2');
    expect(takeRequests()).toEqual(other);
    await list('istio/proxyv2');
    expect(takeRequests()).toEqual(other.slice(1));
  });

  it('is asked again after ten minutes, and not before', async () => {
    const opened = await startRegistryWithReferrers({ referrersApi: false });
    await opened.list();
    const bundle = manifestOf('bundle');
    push(opened.registry, PATH, bundle);
    opened.registry.referrersApi = true;
    opened.time += TEN_MINUTES - 1;
    expect(await opened.list()).toEqual(NOTHING);
    opened.time += 1;
    expect(await opened.list()).toEqual({ descriptors: [descriptorOf(bundle)], more: false });
  });

  it('is asked again where the clock was set back', async () => {
    const opened = await startRegistryWithReferrers({ referrersApi: false });
    await opened.list();
    opened.time -= TEN_MINUTES;
    opened.takeRequests();
    await opened.list();
    expect(opened.takeRequests()).toEqual([API, TAG]);
  });
});

describe('a registry with the referrers API', () => {
  const gone =
    (path: string, fault: Fault): Fault =>
    (request, response) =>
      request.url?.startsWith(`/v2/${path}/referrers/`) === true && fault(request, response);
  const nameUnknown = respondWith(
    404,
    { 'content-type': 'application/json' },
    '{"errors":[{"code":"NAME_UNKNOWN"}]}',
  );

  it.each<[string, Fault]>([
    ['as the specification has it', nameUnknown],
    ['without a word', respondWith(404)],
  ])('still has it where it knows no repository of that name, and says so %s', async (_, fault) => {
    const { registry, list, resolve, takeRequests } = await startRegistryWithReferrers();
    registry.fault = gone('istio/nothing', fault);
    expect(await list('istio/nothing')).toEqual(NOTHING);
    await resolve('istio/nothing');
    takeRequests();
    expect(await list()).toEqual(NOTHING);
    expect(takeRequests()).toEqual([API]);
  });

  it('is asked again for a repository that was not there, once it may be', async () => {
    const { registry, list, takeRequests } = await startRegistryWithReferrers();
    registry.fault = gone(PATH, nameUnknown);
    await list();
    registry.fault = undefined;
    takeRequests();
    await list();
    expect(takeRequests()).toEqual([API]);
  });

  it('that lacks it for some repositories is asked for the others', async () => {
    const { registry, list, resolve, takeRequests } = await startRegistryWithReferrers();
    pushTestImage(registry, 'istio/proxyv2');
    registry.fault = gone('istio/proxyv2', respondWith(404));
    await resolve('istio/proxyv2');
    expect(await list()).toEqual(NOTHING);
    expect(await list('istio/proxyv2')).toEqual(NOTHING);
    takeRequests();
    await list();
    await list('istio/proxyv2');
    expect(takeRequests()).toEqual([API, TAG.replace(PATH, 'istio/proxyv2')]);
  });
});
