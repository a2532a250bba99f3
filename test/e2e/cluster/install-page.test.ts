import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proxyService } from '../control-plane/kubelet/service-proxy.ts';
import { until } from '../control-plane/until.ts';
import { commandsIn as commandsOfSection, readPage } from '../page.ts';
import { pathOf, runOrThrow } from '../tools.ts';
import { type BuiltImage, readImage } from './built-image.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { takeSettledInventory } from './inventory.ts';
import { type Publisher, startPublisher } from './publisher.ts';
import { createPull } from './pulled-image.ts';

/*
 * Walks docs/install.md with nothing but a checkout: builds, pushes, signs, packages, installs from the registry, enforces,
 * uninstalls, carries everything to a registry inside. The kubelet of the test pulls what was pushed. Only the public base images
 * have stand-ins, and helm is given the test's Istio registry and key.
 *
 * If SAILMARK_RELEASE names a directory that .ci/release wrote, image and chart are those of that release, and nothing is built.
 */

const PAGE = 'docs/install.md';
const RELEASE = process.env['SAILMARK_RELEASE'];

/** The version in the archive of a release's chart; without a release, that of the page. */
const versionOf = (release: string | undefined): string => {
  if (release === undefined) return '0.1.0';
  const [archive = ''] = readdirSync(join(release, 'files')).filter((name) =>
    /^sailmark-chart-.*\.tgz$/.test(name),
  );
  return archive.slice('sailmark-chart-'.length, -'.tgz'.length);
};
const VERSION = versionOf(RELEASE);
const IMAGE = `registry.corp.example/sailmark:${VERSION}`;

/** The commands of a section, of this version and without comments. */
const commandsIn = (heading: string, page = PAGE): readonly string[] =>
  commandsOfSection(readPage(page), `${heading}\n`).map((command) =>
    command.replaceAll('0.1.0', VERSION).replace(/\s+#.*$/, ''),
  );
/** The commands of a section that begin with one of these programs. */
const commandsOf = (heading: string, ...programs: readonly string[]): readonly string[] =>
  commandsIn(heading).filter((command) => programs.includes(command.split(' ')[0] ?? ''));

/** Commands that cannot run here, by their first words: docker's own builder, and kind. */
const NOT_RUN = /^(?:docker buildx|kind) /;

const HEADINGS = [...readPage(PAGE).matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);
const typed = new Set<string>();

let publisher: Publisher;
let cluster: Cluster;
let unsigned: string;
let signed: string;
beforeAll(async () => {
  publisher = await startPublisher({ withBases: RELEASE === undefined });
  const image = createPull(publisher.directory, () => cluster.api, publisher.env);
  cluster = await startCluster({ image });
  unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
  signed = cluster.publish('proxyv2', '1.24.2');
  await cluster.createNamespace('shop');
});
afterAll(async () => {
  await cluster?.stop();
  await publisher?.stop();
});

const type = async (command: string): Promise<string> => {
  typed.add(command.replace(/ --values \S+$/, ''));
  const { code, stdout, stderr } = await publisher.type(command, { KUBECONFIG: cluster.kubeconfig });
  if (code !== 0) throw new Error(`${command}\nended with ${code}: ${stderr}${stdout}`);
  return stdout;
};
const typeAll = async (commands: readonly string[]): Promise<void> => {
  expect(commands).not.toEqual([]);
  for (const command of commands) await type(command);
};

/** Copies an image out of a registry for a platform, and reads it. */
const fetchImage = async (architecture: string, reference = IMAGE): Promise<BuiltImage> => {
  const layout = join(publisher.directory, `fetched-${architecture}-${reference.replaceAll(/\W/g, '-')}`);
  const copy = [
    'copy',
    '--quiet',
    '--override-arch',
    architecture,
    `docker://${reference}`,
    `oci:${layout}:it`,
  ];
  await runOrThrow(pathOf('skopeo'), copy, { env: publisher.env });
  return readImage('it', layout);
};
const diffIdsOf = ({ config }: BuiltImage): readonly string[] => config.rootfs.diff_ids;

/** An image of the index, as it is for a platform: its architecture, the files that it lies above, its commit. */
interface Platform {
  readonly architecture: string;
  readonly base: readonly string[];
  readonly revision: string | undefined;
}

/** Reads the image of a platform, and what it should be: above the base of that platform, and of this commit. */
const platformOf = async (architecture: string): Promise<readonly [is: Platform, should: Platform]> => {
  const [image, runtime] = await Promise.all([
    fetchImage(architecture),
    fetchImage(architecture, 'registry.corp.example/bases/runtime:1'),
  ]);
  const is = {
    architecture: image.config.architecture,
    base: diffIdsOf(image).slice(0, runtime.layers.length),
    revision: image.config.config.Labels?.['org.opencontainers.image.revision'],
  };
  return [
    is,
    { architecture, base: diffIdsOf(runtime), revision: (await type('git rev-parse HEAD')).trim() },
  ];
};

const rawManifest = (reference: string): Promise<string> =>
  runOrThrow(pathOf('skopeo'), ['inspect', '--raw', `docker://${reference}`], { env: publisher.env });

const shownChart = (): Promise<string> =>
  type(`helm show chart oci://registry.corp.example/charts/sailmark --version ${VERSION}`);

let pods = 0;
/** Tries to create a pod with a sidecar, and resolves with the status and, if it was created, its image as it is stored. */
const tryPod = async (
  image: string,
): Promise<{ readonly status: number; readonly stored?: string | undefined }> => {
  pods += 1;
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${pods}`, namespace: 'shop' } };
  const spec = { containers: [{ name: 'istio-proxy', image }] };
  const { status, body } = await cluster.api.tryCreate({ ...pod, spec });
  if (status !== 201) return { status };
  await cluster.api.remove(`/api/v1/namespaces/shop/pods/pod-${pods}`);
  return { status, stored: (body as { readonly spec: typeof spec }).spec.containers[0]?.image };
};
const untilStarts = (expected: boolean): Promise<unknown> =>
  until(
    `an unsigned pod ${expected ? 'starts' : 'is refused'}`,
    async () => ((await tryPod(unsigned)).status === 201) === expected,
  );

describe.skipIf(RELEASE !== undefined)('who has only a checkout', () => {
  const BUILD = 'Build and push the image';

  it('builds and pushes as the README says, with docker’s commands, which are podman’s', async () => {
    await typeAll(
      commandsIn('Install, audit, enforce', 'README.md').filter((command) => command.startsWith('docker ')),
    );
    const { config } = await fetchImage('amd64');
    expect(config.config.Entrypoint).toEqual(['/nodejs/bin/node', '/app/main.js']);
    await type(`podman untag ${IMAGE}`);
  });

  // Before the builds for both platforms: after them podman 4 may take the base of the other platform.
  it('builds for kind with podman, which saves an archive that kind can load', async () => {
    await typeAll(commandsOf('kind', 'docker', 'podman'));
    const archive = join(publisher.checkout, 'sailmark-0.1.0.tar');
    const inspect = ['inspect', '--config', `docker-archive:${archive}:localhost/sailmark:0.1.0`];
    const config = JSON.parse(await runOrThrow(pathOf('skopeo'), inspect, { env: publisher.env })) as object;
    expect(config).toMatchObject({ architecture: 'amd64', config: { User: '65532:65532' } });
    for (const command of commandsOf('kind', 'helm')) {
      typed.add(command);
      const rendered = await type(command.replace('helm install', 'helm template'));
      expect(rendered).toMatch(/image: "localhost\/sailmark:0\.1\.0"\n +imagePullPolicy: Never\n/);
    }
  });

  it.each(['buildah', 'podman'])(
    'builds for both platforms and pushes one index, with %s',
    async (program) => {
      await typeAll(commandsOf(BUILD, program));
      for (const architecture of ['amd64', 'arm64']) {
        const [is, should] = await platformOf(architecture);
        expect(is).toEqual(should);
      }
      // Otherwise the next build would add to this list.
      await type(`podman untag ${IMAGE}`);
    },
  );

  it('packages and pushes the chart', async () => {
    await typeAll(commandsIn('Push the chart'));
    expect(await shownChart()).toContain(`version: ${VERSION}\n`);
  });
});

describe.skipIf(RELEASE === undefined)('who has a release', () => {
  it('pushes its image and its chart', async () => {
    const layout = `oci:${RELEASE}/image:${VERSION}`;
    await type(`skopeo copy --quiet --all --preserve-digests ${layout} docker://${IMAGE}`);
    await type(`cp ${RELEASE}/files/sailmark-chart-${VERSION}.tgz sailmark-${VERSION}.tgz`);
    await typeAll(commandsIn('Push the chart').filter((command) => command.startsWith('helm push ')));
    expect(await shownChart()).toContain(`version: ${VERSION}\n`);
  });
});

describe('from a registry of one’s own', () => {
  it('the image is signed, and verified by cosign and by sailmark; a stranger’s key verifies nothing', async () => {
    await typeAll(commandsIn('Sign and verify your image'));
    await type('cosign generate-key-pair --output-key-prefix stranger');
    expect(await publisher.type(`sailmark verify --key stranger.pub ${IMAGE}`)).toMatchObject({ code: 12 });
  });

  const [
    install = '',
    createSecret = '',
    withSecret = '',
    status = '',
    test = '',
    enforce = '',
    uninstall = '',
    remove = '',
  ] = commandsIn('Install from your registry');

  it.skipIf(RELEASE !== undefined)('the chart is refused without the image’s name', async () => {
    const { code, stderr } = await publisher.type(install.replace(/ --set image\.repository=\S+/, ''), {
      KUBECONFIG: cluster.kubeconfig,
    });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('* image.repository is empty, and there is no default'),
    ]);
  });

  it('the chart is installed, and while its image cannot be pulled, nothing is refused', async () => {
    await type(`${install} --values ${await cluster.writeValues({ ...cluster.values, image: {} })}`);
    await until('the pull fails', async () =>
      (await type('kubectl get pods -n sailmark')).includes('ImagePullBackOff'),
    );
    expect(await tryPod(unsigned)).toMatchObject({ status: 201 });
  });

  it('is ready with the credentials of the registry, audits, and enforces', async () => {
    await typeAll([createSecret, withSecret, status]);
    const proxy = await proxyService(cluster.api, NAMESPACE, 'sailmark');
    try {
      await type(test);
    } finally {
      await proxy.stop();
    }
    const running = cluster.kubelet.pods().map(({ pod }) => pod.spec.containers[0]?.image);
    expect(new Set(running).size).toBe(1);
    expect(running[0]).toMatch(/^registry\.corp\.example\/sailmark[:@]/);
    await untilStarts(true);
    await type(enforce);
    await untilStarts(false);
    expect(await tryPod(signed)).toEqual({
      status: 201,
      stored: expect.stringMatching(new RegExp(`^${signed}@sha256:`)),
    });
    expect(await tryPod('registry.corp.example/shop/app:1')).toMatchObject({ status: 201 });
  });

  it('is uninstalled, and leaves nothing and refuses nothing', async () => {
    await typeAll([uninstall, remove]);
    await untilStarts(true);
    const left = (await takeSettledInventory(cluster.api)).filter((one) => one.includes('sailmark'));
    expect(left).toEqual([]);
  });

  it('image and chart are carried to a registry inside, the same to the byte', async () => {
    const inside = IMAGE.replace('corp', 'inside');
    await typeAll(commandsIn('Clusters without a way out'));
    expect(await rawManifest(inside)).toBe(await rawManifest(IMAGE));
    for (const architecture of ['amd64', 'arm64'])
      expect(diffIdsOf(await fetchImage(architecture, inside))).toEqual(
        diffIdsOf(await fetchImage(architecture)),
      );
    const chart = `oci://registry.inside.example/charts/sailmark --version ${VERSION}`;
    const values = '--set image.repository=registry.inside.example/sailmark';
    expect(await type(`helm template sailmark ${chart} -n sailmark ${values}`)).toContain(
      'image: "registry.inside.example/sailmark',
    );
  });
});

describe('the commands of the page', () => {
  const all = HEADINGS.flatMap((heading) => commandsIn(heading));

  it.skipIf(RELEASE !== undefined)('were typed, all but those that cannot run here', () => {
    expect(all.filter((command) => !NOT_RUN.test(command) && !typed.has(command))).toEqual([]);
  });

  it.for(all.filter((command) => NOT_RUN.test(command)))('NOT RUN: %s', (command, { skip }) => {
    expect(typed.has(command)).toBe(false);
    skip();
  });
});
