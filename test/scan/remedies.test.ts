import { execFileSync } from 'node:child_process';
import { load } from 'js-yaml';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/index.ts';
import type { Drift, Remedy, RemedyKind, ScanResult } from '../../src/scan/index.ts';
import { restartRemedy } from '../../src/scan/remedies/restart.ts';
import { container, type KubernetesObject, pod } from '../support/builders.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { hang, respondWith } from '../support/mirror-and-webhook.ts';
import { createSigner } from '../support/signing-kit.ts';
import { type ScanKit, startScanKit } from './scan-kit.ts';

const HEAD = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };

const remedyOf = ({ remedies }: ScanResult, kind: RemedyKind): Remedy => {
  const found = remedies.filter((remedy) => remedy.kind === kind);
  expect(found).toHaveLength(1);
  return found[0] as Remedy;
};

const podOf = (name: string, image: string, more: object = {}): KubernetesObject => ({
  ...pod({ containers: [container(image, 'istio-proxy')] }, { name, namespace: 'shop' }),
  ...more,
});

const podsOf = (...images: readonly string[]): readonly KubernetesObject[] =>
  images.map((image, index) => podOf(`pod-${index}`, image));

/** Parses a snippet of configuration by the reader of configurations, over another configuration. */
const readSnippet = ({ snippet, language }: Remedy, over: object = {}): Promise<object> => {
  expect(language).toBe('yaml');
  const parsed = load(snippet) as object;
  return parseConfig(JSON.stringify({ ...HEAD, ...over, ...parsed }), () => Promise.resolve('{"auths": {}}'));
};

/** Rejects what bash cannot parse. */
const checkShell = (text: string): void => void execFileSync('bash', ['-n'], { input: text });

/** The words that a shell makes of a command line. */
const wordsOf = (line: string): readonly string[] =>
  execFileSync('bash', ['-c', `printf '%s\\0' ${line}`])
    .toString()
    .split('\0')
    .slice(0, -1);

/** Starts a mirror that stands in for Docker Hub: its images are signed, and `docker.io` is read from it. */
const startHub = async (): Promise<Mirror & { readonly configuration: object }> => {
  const hub = await startMirror();
  onTestFinished(() => hub.registry.close());
  return {
    ...hub,
    configuration: {
      keys: [{ inline: hub.release.publicPem }],
      registries: [
        { host: 'docker.io', endpoint: hub.registry.host },
        { host: hub.registry.host, plainHTTP: true },
      ],
      limits: { registrySilence: '500ms' },
    },
  };
};

const scanPods = async (
  configuration: object,
  pods: readonly KubernetesObject[],
): Promise<{ kit: ScanKit; result: ScanResult }> => {
  const kit = await startScanKit({ configuration });
  kit.putPods(pods);
  return { kit, result: await kit.scan({ timeout: 2000 }) };
};

describe('an unknown prefix with names of Istio', () => {
  const PREFIX = 'registry.corp.example:5000/istio';

  const runs = (name: string, image: string, digest: string): KubernetesObject =>
    podOf(name, image, {
      status: {
        phase: 'Running',
        containerStatuses: [
          { name: 'istio-proxy', image, imageID: `${PREFIX}/proxyv2@${digest}`, state: { running: {} } },
        ],
      },
    });

  it('is to be declared as a mirror, and the hub says that what runs is what Istio signed', async () => {
    const hub = await startHub();
    const { digest } = hub.add({ tag: '1.28.1' });
    const pods = [
      runs('one', `${PREFIX}/proxyv2:1.28.1`, digest),
      runs('two', `${PREFIX}/proxyv2:1.28.1`, digest),
    ];
    const { result } = await scanPods(hub.configuration, pods);
    const remedy = remedyOf(result, 'declare-mirror');
    expect(remedy).toMatchObject({
      pods: 2,
      images: [`${PREFIX}/proxyv2:1.28.1`],
      owners: ['shop Pod/one', 'shop Pod/two'],
    });
    expect(remedy.title).toBe(
      `Declare ${PREFIX} as a mirror of docker.io/istio: Istio signed the digest compared`,
    );
    expect(await readSnippet(remedy)).toMatchObject({
      places: { mirrors: [{ mirror: PREFIX, of: 'docker.io/istio', signatures: 'mirror-then-hub' }] },
    });
  });

  it('is said to hold what Istio did not sign', async () => {
    const hub = await startHub();
    const { digest } = hub.add({ tag: '1.28.1', by: false });
    const { result } = await scanPods(hub.configuration, [runs('one', `${PREFIX}/proxyv2:1.28.1`, digest)]);
    expect(remedyOf(result, 'declare-mirror').title).toContain(
      'but look at it before: Istio did not sign 1 of the 1 digest compared',
    );
    expect(remedyOf(result, 'declare-mirror').snippet).not.toContain('hub');
  });

  it('lets its pods start once the snippet is in the configuration', async () => {
    const registry = await startMirror();
    onTestFinished(() => registry.registry.close());
    const { byTag } = registry.add({ tag: '1.28.1' });
    const configuration = { ...registry.configuration, mirrors: [] };
    const { result } = await scanPods(configuration, podsOf(byTag));
    expect(result.summary.denied).toBe(1);
    const declared = load(remedyOf(result, 'declare-mirror').snippet) as object;
    const { result: after } = await scanPods({ ...configuration, ...declared }, podsOf(byTag));
    expect(after.summary).toMatchObject({ denied: 0, pods: { verified: 1 } });
    expect(after.remedies).toEqual([]);
  });
});

describe('a mirror without signatures', () => {
  it('is to get them by a tool that copies those of the release', async () => {
    const mirror = await startMirror();
    onTestFinished(() => mirror.registry.close());
    const old = mirror.add({ by: false, tag: '1.28.0' });
    const bundled = mirror.add({ by: false, tag: '1.30.0', component: 'pilot' });
    const { result } = await scanPods(
      mirror.configuration,
      podsOf(old.byTag, bundled.byTag, bundled.byDigest),
    );
    const remedy = remedyOf(result, 'copy-signatures');
    expect(remedy).toMatchObject({
      language: 'shell',
      pods: 3,
      images: [bundled.byTag, bundled.byDigest, old.byTag],
    });
    const { host } = mirror.registry;
    expect(remedy.snippet.split('\n').slice(2)).toEqual([
      `oras cp -r docker.io/istio/pilot@${bundled.digest} ${host}/istio/pilot:1.30.0`,
      `cosign copy --only=sig docker.io/istio/pilot@${bundled.digest} ${host}/istio/pilot`,
      `cosign copy --only=sig docker.io/istio/proxyv2@${old.digest} ${host}/istio/proxyv2:1.28.0`,
      '',
    ]);
    checkShell(remedy.snippet);
    const pull = remedy.snippet.split('\n')[1]?.replace(/^# /, '') ?? '';
    expect(wordsOf(pull).slice(0, 5)).toEqual(['sailmark', 'evidence', 'pull', '-o', 'evidence']);
  });
});

describe('exempting', () => {
  it('is the last remedy, and its snippet lifts every finding that it names', async () => {
    const mirror = await startMirror();
    onTestFinished(() => mirror.registry.close());
    const unsigned = mirror.add({ by: false, tag: 'unsigned' });
    const stranger = mirror.add({ by: createSigner(), tag: 'stranger' });
    const lookAlike = 'registry.corp.example/mesh/proxyv2:1.28.1';
    const pods = podsOf(unsigned.byTag, unsigned.byDigest, stranger.byTag, lookAlike);
    const { result } = await scanPods(mirror.configuration, pods);
    expect(result.summary.denied).toBe(4);
    const remedy = result.remedies.at(-1) as Remedy;
    expect(remedy).toMatchObject({ kind: 'exempt', pods: 4 });
    await readSnippet(remedy, mirror.configuration);
    const lifted = load(remedy.snippet) as object;
    const { result: after } = await scanPods({ ...mirror.configuration, ...lifted }, pods);
    expect(after.summary).toMatchObject({ denied: 0, pods: { exempt: 4 } });
    expect(after.remedies).toEqual([]);
  });

  it('is not offered for what no exemption lifts, or what only could not be found out', async () => {
    const mirror = await startMirror();
    onTestFinished(() => mirror.registry.close());
    const { byTag } = mirror.add();
    mirror.registry.fault = respondWith(503);
    const { result } = await scanPods(
      mirror.configuration,
      podsOf(byTag, 'Registry.corp.example/istio/PROXYv2:1'),
    );
    expect(result.summary.denied).toBe(2);
    expect(result.remedies.map(({ kind }) => kind).toSorted()).toEqual(['other', 'reach-registry']);
  });
});

describe('other remedies', () => {
  it('name a registry, by what it answered', async () => {
    const mirror = await startMirror();
    onTestFinished(() => mirror.registry.close());
    const { byTag } = mirror.add();
    const { host } = mirror.registry;
    const titleWhen = async (
      fault: Parameters<typeof scanPods>[0],
      answer = respondWith(403),
    ): Promise<Remedy> => {
      mirror.registry.fault = answer;
      const { result } = await scanPods(fault, podsOf(byTag));
      expect(result.summary).toMatchObject({ denied: 1, pods: { refused: 0, unknown: 1 } });
      return remedyOf(result, 'reach-registry');
    };
    const refused = await titleWhen(mirror.configuration);
    expect(refused.title).toBe(`Let sailmark read ${host} (registry-refused)`);
    await readSnippet(refused);
    const limited = await titleWhen(mirror.configuration, respondWith(429, { 'retry-after': '30' }));
    expect(limited.title).toBe(
      `Give sailmark credentials, so that it is not limited by ${host} (registry-rate-limited)`,
    );
    const down = await titleWhen({ ...mirror.configuration, limits: { registrySilence: '500ms' } }, hang);
    expect(down).toMatchObject({
      title: `Let sailmark reach ${host} (registry-unavailable)`,
      snippet: `sailmark verify ${byTag}\n`,
    });
  });

  it('name digests, a key, a vendor and a release', async () => {
    const mirror = await startMirror();
    onTestFinished(() => mirror.registry.close());
    const signed = mirror.add({ tag: '1.28.1' });
    const stranger = mirror.add({ by: createSigner() });
    const configuration = { ...mirror.configuration, pin: 'never', requireDigest: true };
    const { result } = await scanPods(
      configuration,
      podsOf(signed.byTag, stranger.byDigest, 'docker.io/library/nginx:1'),
    );
    const pin = remedyOf(result, 'pin');
    expect(load(pin.snippet)).toEqual([{ image: `${signed.byTag}@${signed.digest}` }]);
    await readSnippet(remedyOf(result, 'add-key'), {
      mirrors: [{ mirror: `${mirror.registry.host}/istio`, of: 'docker.io/istio' }],
    });
    expect(remedyOf(result, 'replace-image').title).toContain("Use Istio's own image in 1 owner");
  });

  it('name a build that Istio never signed, and a vendor, with the reason of each', async () => {
    const hub = await startHub();
    hub.add({ tag: '1.11.4', by: false });
    const old = 'docker.io/istio/proxyv2:1.11.4';
    const { result } = await scanPods(
      hub.configuration,
      podsOf(old, 'gcr.io/gke-release/asm/proxyv2:1.20.8-asm.0'),
    );
    const release = remedyOf(result, 'use-signed-release');
    expect(release).toMatchObject({ images: [old], pods: 1, snippet: '', language: '' });
    expect(release.title).toMatch(
      /^Use a signed release of Istio in place of 1 image without a signature: ./,
    );
    const vendor = remedyOf(result, 'replace-image');
    expect(vendor).toMatchObject({ pods: 1, owners: ['shop Pod/pod-1'], snippet: '' });
    expect(vendor.title).toMatch(/^Use Istio's own images in place of 1 image of ./);
  });
});

describe('drift', () => {
  const driftOf = (owner: string, namespace = 'shop', pods = 1): Drift => ({
    status: 'drifted',
    reference: 'docker.io/istio/proxyv2:1.28.1',
    verified: `sha256:${'a1'.repeat(32)}`,
    running: `docker.io/istio/proxyv2@sha256:${'b2'.repeat(32)}`,
    message: 'another digest',
    namespace,
    owner,
    container: 'istio-proxy',
    pods,
    podNames: [],
  });

  it('is to be mended by a restart of each owner that can be restarted, once', () => {
    const drift = [
      driftOf('Deployment/cart', 'shop', 2),
      driftOf('Deployment/cart', 'shop', 3),
      driftOf('StatefulSet/ledger', "it's"),
      driftOf('Pod/alone'),
      driftOf('DaemonSet/x\u001b[2J'),
      { ...driftOf('Deployment/unknown'), status: 'unknown' as const },
    ];
    const remedy = restartRemedy(drift);
    expect(remedy).toMatchObject({ kind: 'restart-pods', language: 'shell', pods: 8 });
    expect(remedy?.title).toBe('Restart the pods of 4 owners, so that they run what is verified now');
    checkShell(remedy?.snippet ?? '');
    const lines = (remedy?.snippet ?? '').trimEnd().split('\n');
    const restart = ['kubectl', 'rollout', 'restart', '--namespace'];
    expect(lines.map(wordsOf)).toEqual([
      [...restart, 'shop', 'deployment/cart'],
      [...restart, "it's", 'statefulset/ledger'],
    ]);
  });

  it('that is not known has no remedy', () => {
    expect(restartRemedy([{ ...driftOf('Deployment/cart'), status: 'unknown' }])).toBeUndefined();
  });
});
