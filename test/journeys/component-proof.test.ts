import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/image/index.ts';
import type { MirroredImage } from '../support/mirror.ts';
import {
  allowed,
  drop,
  limitRate,
  type MirrorAndWebhook,
  refused,
  respondWith,
  sendReview,
  startMirrorAndWebhook,
  verdictOn,
} from '../support/mirror-and-webhook.ts';
import type { Fault } from '../support/registry-server.ts';
import {
  type Artifact,
  createSigner,
  type ImageOptions,
  type IndexEntry,
  imageIndex,
  imageManifest,
  indexOf,
} from '../support/signing-kit.ts';

/*
 * Bundles name no component: what an image is shows in its configuration, which the signed digest covers. Each image here
 * is pushed under a name of the mirror with a genuine bundle, whatever it starts.
 */

const ZTUNNEL = { config: { Entrypoint: ['/usr/local/bin/ztunnel'] } };
const PILOT = { config: { Entrypoint: ['/usr/local/bin/pilot-discovery'] } };
const AMD64 = { platform: { os: 'linux', architecture: 'amd64' } };
const ARM64 = { platform: { os: 'linux', architecture: 'arm64' } };

let seeds = 0;
const seed = (): string => `component ${(seeds += 1)}`;
const image = (options: ImageOptions): Artifact => imageManifest(seed(), options);

/** Pushes an image with a bundle under the name of a component. */
const bundled = ({ mirror }: MirrorAndWebhook, artifact: Artifact, component = 'pilot'): MirroredImage =>
  mirror.add({ component, bundle: true, image: artifact });

/** The verdict on an image, pushed with a bundle as pilot. */
const verdictAsPilot = async (artifact: Artifact, by: 'byTag' | 'byDigest' = 'byDigest') => {
  const started = await startMirrorAndWebhook();
  return verdictOn(started.webhook, bundled(started, artifact)[by]);
};

const attestationOf = (manifest: Artifact): IndexEntry => ({
  manifest: image({ config: { Entrypoint: ['/usr/local/bin/pilot-discovery'] } }),
  descriptor: {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': manifest.digest,
    },
  },
});

describe('a genuine image of another component, signed by a bundle, is refused', () => {
  it.each(['byTag', 'byDigest'] as const)('%s', async (by) => {
    expect(await verdictAsPilot(image(ZTUNNEL), by)).toEqual(refused('component-mismatch'));
  });

  it('whichever of the two components is asked for', async () => {
    const started = await startMirrorAndWebhook();
    for (const component of ['ztunnel', 'install-cni', 'proxyv2', 'istioctl', 'agentgateway', 'app'])
      expect(await verdictOn(started.webhook, bundled(started, image(PILOT), component).byDigest)).toEqual(
        refused('component-mismatch'),
      );
  });

  it('and the answer says what it starts', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const { byDigest } = bundled(
      { mirror, webhook },
      image({ config: { Cmd: ['/opt/cni/bin/install-cni'] } }),
    );
    const response = await sendReview(webhook, [byDigest]);
    expect(response.status?.message).toContain(
      'expected component pilot, but its configuration starts install-cni: the image is install-cni (component-mismatch)',
    );
  });

  it('with its command alone, or an empty entry point before it', async () => {
    const Cmd = ['/usr/local/bin/install-cni', '--log-level', 'debug'];
    for (const config of [{ Cmd }, { Cmd, Entrypoint: [] }, { Cmd, Entrypoint: null }])
      expect(await verdictAsPilot(image({ config }))).toEqual(refused('component-mismatch'));
  });

  it('of Docker’s media types', async () => {
    expect(await verdictAsPilot(image({ ...ZTUNNEL, docker: true }))).toEqual(refused('component-mismatch'));
    expect(await verdictAsPilot(imageIndex(seed(), { ...ZTUNNEL, docker: true }))).toEqual(
      refused('component-mismatch'),
    );
  });

  it('of several platforms, with attestations before them that claim to start the component', async () => {
    const ztunnel = image(ZTUNNEL);
    const byPlatform = { manifest: image(PILOT), descriptor: attestationOf(ztunnel).descriptor };
    const byAnnotation = {
      manifest: image(PILOT),
      descriptor: { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
    };
    const index = indexOf([
      attestationOf(ztunnel),
      byPlatform,
      byAnnotation,
      { manifest: image(ZTUNNEL), descriptor: ARM64 },
      { manifest: ztunnel, descriptor: AMD64 },
    ]);
    expect(await verdictAsPilot(index)).toEqual(refused('component-mismatch'));
  });

  it('on a mirror that holds the images of some platforms only', async () => {
    const started = await startMirrorAndWebhook();
    const [amd64, arm64] = [image(ZTUNNEL), image(ZTUNNEL)];
    const index = indexOf([
      { manifest: amd64, descriptor: AMD64 },
      { manifest: arm64, descriptor: ARM64 },
    ]);
    started.mirror.registry.fault = missing(amd64.digest);
    expect(await verdictOn(started.webhook, bundled(started, index).byDigest)).toEqual(
      refused('component-mismatch'),
    );
  });

  it('under its own name before and after, from memory', async () => {
    const started = await startMirrorAndWebhook();
    const ztunnel = image(ZTUNNEL);
    const [own, other] = [bundled(started, ztunnel, 'ztunnel'), bundled(started, ztunnel)];
    for (let round = 0; round < 2; round += 1) {
      expect(await verdictOn(started.webhook, own.byDigest)).toEqual(allowed);
      expect(await verdictOn(started.webhook, other.byDigest)).toEqual(refused('component-mismatch'));
    }
  });

  it('after it was verified under a name that is of no component', async () => {
    const started = await startMirrorAndWebhook();
    const ztunnel = image(ZTUNNEL);
    const [nameless, pilot] = [bundled(started, ztunnel, 'mesh-thing'), bundled(started, ztunnel)];
    expect(await verdictOn(started.webhook, nameless.byDigest)).toEqual(allowed);
    expect(await verdictOn(started.webhook, pilot.byDigest)).toEqual(refused('component-mismatch'));
  });

  it('with a `.sig` signature that names no component, as re-signed mirrors have', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const { byDigest } = mirror.add({
      component: 'pilot',
      image: image(ZTUNNEL),
      signedAs: 'build.example/mesh',
    });
    expect(await verdictOn(webhook, byDigest)).toEqual(refused('component-mismatch'));
  });
});

/** True if a request is for the manifest or the blob with this digest. */
const isAt = (path: string | undefined, digest: string): boolean =>
  path?.endsWith(digest) === true && !path.includes('/referrers/');

const only =
  (digest: string, fault: Fault): Fault =>
  (request, response) =>
    isAt(request.url, digest) && fault(request, response);
const missing = (digest: string): Fault => only(digest, respondWith(404, {}, '{}'));

const configurationOf = ({ blobs }: Artifact): string => blobs[0]?.digest ?? '';

describe('a configuration that cannot be read leaves the image undetermined: nobody hides it and passes', () => {
  const hidden: readonly (readonly [string, (artifact: Artifact) => Fault, string])[] = [
    ['the configuration is absent', (each) => missing(configurationOf(each)), 'registry-answer-invalid'],
    ['the manifest is absent', (each) => missing(each.digest), 'registry-answer-invalid'],
    [
      'the configuration has another digest',
      (each) => only(configurationOf(each), respondWith(200, {}, JSON.stringify(PILOT))),
      'registry-answer-invalid',
    ],
    [
      'the configuration is longer than any may be',
      (each) => only(configurationOf(each), respondWith(200, {}, ' '.repeat(9 * 1024 * 1024))),
      'registry-answer-invalid',
    ],
    ['the registry refuses it', (each) => only(configurationOf(each), respondWith(403)), 'registry-refused'],
    [
      'the registry fails at it',
      (each) => only(configurationOf(each), respondWith(502)),
      'registry-unavailable',
    ],
    ['the registry limits it', (each) => only(configurationOf(each), limitRate), 'registry-rate-limited'],
    ['the connection ends', (each) => only(configurationOf(each), drop), 'registry-unavailable'],
  ];

  it.each(hidden)('%s', async (_name, faultFor, code) => {
    const started = await startMirrorAndWebhook();
    const artifact = image(ZTUNNEL);
    started.mirror.registry.fault = faultFor(artifact);
    expect(await verdictOn(started.webhook, bundled(started, artifact).byDigest)).toEqual(refused(code));
  });

  it('all images of an index are absent', async () => {
    const started = await startMirrorAndWebhook();
    const index = imageIndex(seed(), ZTUNNEL);
    started.mirror.registry.fault = (request, response) =>
      index.children.some(({ digest }) => missing(digest)(request, response));
    expect(await verdictOn(started.webhook, bundled(started, index).byDigest)).toEqual(
      refused('registry-answer-invalid'),
    );
  });

  it('and the next pod asks again', async () => {
    const started = await startMirrorAndWebhook();
    const artifact = image(PILOT);
    const { byDigest } = bundled(started, artifact);
    started.mirror.registry.fault = missing(configurationOf(artifact));
    expect(await verdictOn(started.webhook, byDigest)).toEqual(refused('registry-answer-invalid'));
    started.mirror.registry.fault = undefined;
    expect(await verdictOn(started.webhook, byDigest)).toEqual(allowed);
  });
});

describe('no configuration makes an image verified', () => {
  it.each([
    ['of a stranger', { by: createSigner(), bundle: true }, 'signer-untrusted'],
    ['unsigned', { by: false }, 'signature-missing'],
    ['signed as another component', { signedAs: 'docker.io/istio/ztunnel' }, 'component-mismatch'],
  ] as const)('that is %s and starts the component asked for', async (_name, signing, code) => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    for (const tag of ['1.28.0', '1.30.0']) {
      const { byTag, byDigest } = mirror.add({ component: 'pilot', image: image(PILOT), tag, ...signing });
      expect(await verdictOn(webhook, byTag)).toEqual(refused(code));
      expect(await verdictOn(webhook, byDigest)).toEqual(refused(code));
    }
  });

  it('nor does a fault of it change the refusal of an image that needs none', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const artifact = image(PILOT);
    mirror.registry.fault = missing(artifact.digest);
    const signing = { component: 'pilot', image: artifact, tag: '1.30.0' };
    const { byTag } = mirror.add({ ...signing, by: createSigner(), bundle: true });
    expect(await verdictOn(webhook, byTag.replace(/:1\.30\.0$/, `:1.30.0@${artifact.digest}`))).toEqual(
      refused('signer-untrusted'),
    );
  });
});

describe('an image whose start is of no known component is allowed, and its component not proven', () => {
  it.each([
    ['a shell', { Entrypoint: ['/bin/sh', '-c', '/usr/local/bin/ztunnel'] }],
    ['a wrapper', { Entrypoint: ['/entrypoint.sh', '/usr/local/bin/ztunnel'] }],
    ['an empty word', { Entrypoint: [''] }],
    ['a word that ends with a slash', { Entrypoint: ['/usr/local/bin/ztunnel/'] }],
    ['a word of 300 characters', { Entrypoint: [`/${'x'.repeat(291)}/ztunnel`] }],
    ['no word', {}],
    ['empty lists', { Entrypoint: [], Cmd: [] }],
    ['an entry point that is a text', { Entrypoint: '/usr/local/bin/ztunnel', Cmd: ['ztunnel'] }],
    ['an entry point of numbers', { Entrypoint: [1], Cmd: ['ztunnel'] }],
  ])('%s', async (_name, config) => {
    expect(await verdictAsPilot(image({ config }))).toEqual(allowed);
  });

  it.each([
    ['no JSON', 'this is no JSON'],
    ['empty', ''],
    ['an empty object', '{}'],
    ['a list', '[]'],
    ['null', 'null'],
    [
      'a configuration that says it twice',
      '{"config":{"Cmd":["ztunnel"]},"config":{"Cmd":["pilot-discovery"]}}',
    ],
    ['a configuration whose members are inherited', '{"config":{"__proto__":{"Entrypoint":["ztunnel"]}}}'],
    ['nested 10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ])('a signed configuration that is %s', async (_name, text) => {
    expect(await verdictAsPilot(image({ configuration: Buffer.from(text) }))).toEqual(allowed);
  });

  it('an index without an image', async () => {
    expect(await verdictAsPilot(indexOf([]))).toEqual(allowed);
    expect(await verdictAsPilot(indexOf([attestationOf(image(ZTUNNEL))]))).toEqual(allowed);
  });

  it('an index of an index', async () => {
    const inner = imageIndex(seed(), ZTUNNEL);
    expect(await verdictAsPilot(indexOf([{ manifest: inner, descriptor: AMD64 }]))).toEqual(allowed);
  });
});

describe('a genuine image is allowed', () => {
  it.each([
    ['pilot', { Entrypoint: ['/usr/local/bin/pilot-discovery'] }],
    ['proxyv2', { Entrypoint: ['/usr/local/bin/pilot-agent'] }],
    ['ztunnel', { Entrypoint: ['/usr/local/bin/ztunnel'] }],
    ['istioctl', { Entrypoint: ['/usr/local/bin/istioctl'] }],
    ['install-cni', { Cmd: ['/usr/local/bin/install-cni'] }],
    ['agentgateway', { Entrypoint: ['/app/agentgateway'] }],
  ])('%s, as one platform and as an index', async (component, config) => {
    const started = await startMirrorAndWebhook();
    for (const artifact of [image({ config }), imageIndex(seed(), { config })]) {
      const { byTag, byDigest } = bundled(started, artifact, component);
      expect(await verdictOn(started.webhook, byTag)).toEqual(allowed);
      expect(await verdictOn(started.webhook, byDigest)).toEqual(allowed);
    }
  });

  it('under the name that a mirror gives its component', async () => {
    const started = await startMirrorAndWebhook(({ registry }) => ({
      mirrors: [
        { mirror: `${registry.host}/istio`, of: 'docker.io/istio', components: { 'mesh-a': 'proxyv2' } },
      ],
    }));
    const agent = image({ config: { Entrypoint: ['/usr/local/bin/pilot-agent'] } });
    expect(await verdictOn(started.webhook, bundled(started, agent, 'mesh-a').byDigest)).toEqual(allowed);
    expect(await verdictOn(started.webhook, bundled(started, image(ZTUNNEL), 'mesh-a').byDigest)).toEqual(
      refused('component-mismatch'),
    );
  });

  it('from memory while its registry is down', async () => {
    const started = await startMirrorAndWebhook();
    const { byDigest, byTag } = bundled(started, imageIndex(seed(), PILOT));
    expect(await verdictOn(started.webhook, byTag)).toEqual(allowed);
    started.mirror.registry.fault = drop;
    expect(await verdictOn(started.webhook, byDigest)).toEqual(allowed);
    expect(started.webhook.lastRecord()?.requests).toBe(0);
  });

  it('if a signature names it, whatever it starts: its configuration is not asked for', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const artifact = image(ZTUNNEL);
    const { byDigest } = mirror.add({ component: 'pilot', image: artifact });
    mirror.registry.clearRequests();
    expect(await verdictOn(webhook, byDigest)).toEqual(allowed);
    expect(mirror.registry.requests.some(({ path }) => isAt(path, artifact.digest))).toBe(false);
  });
});

describe('with componentProof: none', () => {
  it('a bundle is enough, and no configuration is asked for', async () => {
    const started = await startMirrorAndWebhook(() => ({ componentProof: 'none' }));
    const artifact = image(ZTUNNEL);
    const { byDigest } = bundled(started, artifact);
    started.mirror.registry.clearRequests();
    expect(await verdictOn(started.webhook, byDigest)).toEqual(allowed);
    expect(started.webhook.lastRecord()?.requests).toBe(4);
    expect(
      started.mirror.registry.requests.filter(({ path }) => isAt(path, configurationOf(artifact))),
    ).toEqual([]);
  });
});

describe('the digest of a configuration', () => {
  it('is what binds it to the signature: the same words in another image prove nothing here', async () => {
    const started = await startMirrorAndWebhook();
    const ztunnel = image(ZTUNNEL);
    const bytes = Buffer.from(JSON.stringify({ config: PILOT.config }));
    started.mirror.registry.pushBlob('istio/pilot', bytes);
    started.mirror.registry.fault = only(
      configurationOf(ztunnel),
      respondWith(200, { 'docker-content-digest': digestOf(bytes) }, bytes.toString()),
    );
    expect(await verdictOn(started.webhook, bundled(started, ztunnel).byDigest)).toEqual(
      refused('registry-answer-invalid'),
    );
  });
});
