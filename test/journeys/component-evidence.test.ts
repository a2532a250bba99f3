import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type InProcessWebhook, startInProcessWebhook } from '../support/in-process-webhook.ts';
import { temporaryDirectory } from '../support/layout.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { allowed, drop, refused, respondWith, verdictOn } from '../support/mirror-and-webhook.ts';
import { runCli } from '../support/run-cli.ts';
import { type Artifact, imageIndex, imageManifest } from '../support/signing-kit.ts';

/*
 * The configuration of an image is kept beside its bundle, so that after a restart, or offline, evidence proves as much as
 * the registry did.
 */

const ZTUNNEL = { config: { Entrypoint: ['/usr/local/bin/ztunnel'] } };
const PILOT = { config: { Entrypoint: ['/usr/local/bin/pilot-discovery'] } };

let seeds = 0;
const seed = (): string => `evidence of a component ${(seeds += 1)}`;

interface Journey {
  readonly mirror: Mirror;
  readonly directory: string;
  /** Starts a webhook that remembers nothing, and reads and writes the evidence. */
  readonly restart: (configuration?: object) => Promise<InProcessWebhook>;
  /** Pushes an image with a bundle under this name. */
  readonly push: (artifact: Artifact, component?: string) => string;
}

const begin = async (): Promise<Journey> => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  const directory = temporaryDirectory('component-evidence');
  return {
    mirror,
    directory,
    restart: (configuration = {}) =>
      startInProcessWebhook({
        ...mirror.configuration,
        evidence: { read: [], write: directory },
        ...configuration,
      }),
    push: (image, component = 'pilot') => mirror.add({ component, bundle: true, image }).byDigest,
  };
};

/** Resolves when an image is in the index of the evidence. */
const untilStored = async (directory: string, image: string): Promise<void> => {
  await expect
    .poll(async () => (await runCli(['evidence', 'list', directory])).stdout, { interval: 5 })
    .toContain(image.slice(image.indexOf('@') + 1));
};

/** Removes the configuration of an image from the evidence, as evidence of earlier releases has none. */
const removeConfiguration = (directory: string, { blobs, children }: Artifact): void => {
  const configurations = [...blobs, ...children.flatMap((child) => child.blobs)].map(({ digest }) =>
    digest.slice('sha256:'.length),
  );
  const blobsPath = join(directory, 'blobs', 'sha256');
  const stored = readdirSync(blobsPath).filter((name) => configurations.includes(name));
  expect(stored).toHaveLength(1);
  for (const name of stored) rmSync(join(blobsPath, name));
};

const KINDS: readonly (readonly [string, (options: object) => Artifact])[] = [
  ['an image', (options) => imageManifest(seed(), options)],
  ['an index', (options) => imageIndex(seed(), options)],
];

describe.each(KINDS)('evidence of %s', (_name, make) => {
  it('refuses it as another component, after a restart and while its registry is down', async () => {
    const { mirror, directory, restart, push } = await begin();
    const artifact = make(ZTUNNEL);
    const [own, other] = [push(artifact, 'ztunnel'), push(artifact)];
    expect(await verdictOn(await restart(), own)).toEqual(allowed);
    await untilStored(directory, own);
    mirror.registry.fault = drop;
    const webhook = await restart();
    expect(await verdictOn(webhook, own)).toEqual(allowed);
    expect(webhook.lastRecord()?.requests).toBe(0);
    expect((await verdictOn(await restart(), other)).verdict).toBe('deny');
  });

  it('refuses it as another component, though it was verified first under a name of no component', async () => {
    const { mirror, directory, restart, push } = await begin();
    const artifact = make(ZTUNNEL);
    const [nameless, other] = [push(artifact, 'mesh-thing'), push(artifact)];
    expect(await verdictOn(await restart(), nameless)).toEqual(allowed);
    await untilStored(directory, nameless);
    mirror.registry.fault = drop;
    expect((await verdictOn(await restart(), other)).verdict).toBe('deny');
  });

  it('proves its component after a restart, with no request', async () => {
    const { mirror, directory, restart, push } = await begin();
    const image = push(make(PILOT));
    expect(await verdictOn(await restart(), image)).toEqual(allowed);
    await untilStored(directory, image);
    mirror.registry.clearRequests();
    const webhook = await restart();
    expect(await verdictOn(webhook, image)).toEqual(allowed);
    expect(mirror.registry.requests).toEqual([]);
  });

  it('without its configuration asks the registry, and keeps the answer', async () => {
    const { mirror, directory, restart, push } = await begin();
    const artifact = make(ZTUNNEL);
    const [own, other] = [push(artifact, 'ztunnel'), push(artifact)];
    expect(await verdictOn(await restart(), own)).toEqual(allowed);
    await untilStored(directory, own);
    removeConfiguration(directory, artifact);
    expect(await verdictOn(await restart(), other)).toEqual(refused('component-mismatch'));
    const webhook = await restart();
    mirror.registry.clearRequests();
    expect(await verdictOn(webhook, own)).toEqual(allowed);
    mirror.registry.fault = drop;
    expect((await verdictOn(await restart(), other)).verdict).toBe('deny');
  });

  it('without its configuration is not enough where the registry hides it', async () => {
    const { mirror, directory, restart, push } = await begin();
    const artifact = make(ZTUNNEL);
    const [own, other] = [push(artifact, 'ztunnel'), push(artifact)];
    expect(await verdictOn(await restart(), own)).toEqual(allowed);
    await untilStored(directory, own);
    removeConfiguration(directory, artifact);
    mirror.registry.fault = (request, response) =>
      request.url?.includes('/blobs/') === true && respondWith(404)(request, response);
    expect(await verdictOn(await restart(), other)).toEqual(refused('registry-answer-invalid'));
  });

  it.each([
    ['is down', drop],
    ['refuses everything', respondWith(403)],
  ] as const)(
    'without its configuration verifies it as before while the registry %s',
    async (_what, fault) => {
      const { mirror, directory, restart, push } = await begin();
      const artifact = make(PILOT);
      const image = push(artifact);
      expect(await verdictOn(await restart(), image)).toEqual(allowed);
      await untilStored(directory, image);
      removeConfiguration(directory, artifact);
      mirror.registry.fault = fault;
      expect(await verdictOn(await restart(), image)).toEqual(allowed);
    },
  );

  it('stands in for its tag while the registry is down, and not for another component’s', async () => {
    const { mirror, directory, restart } = await begin();
    const add = (component: string, options: object) =>
      mirror.add({ component, bundle: true, image: make(options), tag: 'prod' });
    const [pilot, ztunnel] = [add('pilot', PILOT), add('ztunnel', PILOT)];
    const first = await restart();
    expect(await verdictOn(first, pilot.byTag)).toEqual(allowed);
    expect(await verdictOn(first, ztunnel.byTag)).toEqual(refused('component-mismatch'));
    await untilStored(directory, pilot.byDigest);
    mirror.registry.fault = drop;
    first.advanceClock(60_000);
    expect((await verdictOn(first, pilot.byTag)).verdict).toBe('warn');
    expect((await verdictOn(first, ztunnel.byTag)).verdict).toBe('deny');
  });
});

describe('the command line', () => {
  interface ImageJson {
    readonly componentProven: boolean;
    readonly componentProvenBy?: string;
    readonly outcome: string;
    readonly reason: string | null;
    readonly message: string;
  }

  /** Writes the configuration of the mirror to a file. */
  const configurationFile = ({ mirror }: Journey): string => {
    const file = join(temporaryDirectory('component-configuration'), 'sailmark.json');
    const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
    writeFileSync(file, JSON.stringify({ ...head, ...mirror.configuration }));
    return file;
  };

  const verify = async (
    journey: Journey,
    images: readonly string[],
    flags: readonly string[] = [],
  ): Promise<readonly Partial<ImageJson>[]> => {
    const config = ['--config', configurationFile(journey)];
    const { stdout, stderr } = await runCli(['verify', ...config, '--output', 'json', ...flags, ...images]);
    if (stdout === '') throw new Error(stderr);
    return (JSON.parse(stdout) as { readonly images: readonly ImageJson[] }).images;
  };

  it('says by what the component is proven, or that nothing proves it', async () => {
    const journey = await begin();
    const { mirror, push } = journey;
    const signed = mirror.add({ component: 'pilot', image: imageManifest(seed(), PILOT) }).byDigest;
    const images = [
      push(imageManifest(seed(), ZTUNNEL)),
      push(imageIndex(seed(), PILOT)),
      push(imageManifest(seed())),
      signed,
    ];
    const [mismatch, proven, unproven, named] = await verify(journey, images);
    expect(mismatch).toMatchObject({
      outcome: 'rejected',
      reason: 'component-mismatch',
      componentProven: false,
    });
    expect(mismatch?.message).toContain(
      'expected component pilot, but its configuration starts ztunnel: the image is ztunnel',
    );
    expect(proven).toMatchObject({
      outcome: 'verified',
      componentProven: true,
      componentProvenBy: 'configuration',
    });
    expect(unproven).toMatchObject({ outcome: 'verified', componentProven: false });
    expect(unproven?.message).toContain('the signed bytes do not name the component pilot');
    expect(unproven).not.toHaveProperty('componentProvenBy');
    expect(named).toMatchObject({ componentProven: true, componentProvenBy: 'signature' });
  });

  it('pulls the configuration as evidence, and verifies with it offline', async () => {
    const journey = await begin();
    const { directory, push } = journey;
    const ztunnel = imageIndex(seed(), ZTUNNEL);
    const [image, own, other] = [push(imageIndex(seed(), PILOT)), push(ztunnel, 'ztunnel'), push(ztunnel)];
    const config = ['--config', configurationFile(journey)];
    const pulled = await runCli(['evidence', 'pull', '-o', directory, ...config, image, own]);
    expect(pulled.stdout).toContain('2 digests verified offline');
    const offline = ['--offline', '--evidence', directory];
    expect(await verify(journey, [image, other], offline)).toMatchObject([
      { outcome: 'verified', componentProven: true, componentProvenBy: 'configuration', requests: 0 },
      { outcome: 'rejected', reason: 'component-mismatch', requests: 0 },
    ]);
    removeConfiguration(directory, ztunnel);
    expect(await verify(journey, [other], offline)).toMatchObject([
      { outcome: 'verified', componentProven: false },
    ]);
  });

  it('offline, takes damaged evidence of a configuration for none that could be read', async () => {
    const journey = await begin();
    const { directory, push } = journey;
    const artifact = imageManifest(seed(), PILOT);
    const image = push(artifact);
    await runCli(['evidence', 'pull', '-o', directory, '--config', configurationFile(journey), image]);
    const [configuration] = artifact.blobs;
    const name = configuration?.digest.slice('sha256:'.length) ?? '';
    writeFileSync(join(directory, 'blobs', 'sha256', name), '{"config":{"Entrypoint":["pilot-discovery"]}}');
    expect(await verify(journey, [image], ['--offline', '--evidence', directory])).toMatchObject([
      { outcome: 'undetermined', reason: 'registry-answer-invalid' },
    ]);
  });
});
