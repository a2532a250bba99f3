import { execFileSync } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createShares } from '../../src/scan/judge/shares.ts';
import { container, type KubernetesObject, pod } from '../support/builders.ts';
import { startMirror } from '../support/mirror.ts';
import { hang, respondWith } from '../support/mirror-and-webhook.ts';
import { startScanKit } from './scan-kit.ts';

/* A scan of what the authors of pods and one registry can do to it. */

const podNamed = (name: string, images: readonly string[], containerName = 'istio-proxy'): KubernetesObject =>
  pod(
    { containers: images.map((image, index) => container(image, index === 0 ? containerName : `c${index}`)) },
    { name, namespace: 'shop' },
  );

const startRegistry = async () => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  return mirror;
};

/** Characters that a terminal acts on, or shows in another order. */
const UNPRINTABLE = /[^\n\x20-\x7e]/;

describe('names and images that are made to hurt', () => {
  const images = [
    'registry.corp.example/istio/proxyv2:1.28.1\u001b[2J',
    'registry.corp.example/istio/proxyv2:1.28.1\nrm -rf ~',
    "registry.corp.example/istio/proxyv2:$(touch /tmp/x)';reboot;'",
    '--config=/etc/passwd',
    `registry.corp.example/${'istio/'.repeat(680)}proxyv2`,
    'registry.corp.example/istio/proxyv2@sha256:\u202e',
  ];

  it('come into no command and no snippet, and are refused like any other', async () => {
    const { configuration } = await startRegistry();
    const kit = await startScanKit({ configuration });
    kit.putPods(
      images.map((image, index) =>
        podNamed(`pod-${index}`, [image], index === 0 ? 'istio-proxy' : '\u001b]0;x'),
      ),
    );
    const result = await kit.scan();
    expect(result.summary).toMatchObject({ pods: { all: 6 }, denied: 5 });
    const texts = [
      ...result.images.map(({ command }) => command),
      ...result.remedies.map(({ snippet }) => snippet),
    ];
    for (const text of texts) expect(text).not.toMatch(UNPRINTABLE);
    for (const { title } of result.remedies) expect(title).not.toMatch(/\p{C}/u);
    const messages = [...result.images, ...result.owners].map(({ message }) => message);
    for (const message of messages) expect(message).not.toMatch(/\p{C}/u);
    for (const { reference } of result.images) expect(reference.length).toBeLessThanOrEqual(1024);
    for (const { command } of result.images) execFileSync('bash', ['-n'], { input: command });
    expect(result.images.filter(({ command }) => command === '').length).toBeGreaterThanOrEqual(3);
  });

  it('in a pod of 5,000 containers cost no more requests than one review may', async () => {
    const mirror = await startRegistry();
    const kit = await startScanKit({ configuration: mirror.configuration });
    const { host } = mirror.registry;
    kit.putPods([
      podNamed(
        'huge',
        Array.from({ length: 5000 }, (_, index) => `${host}/istio/proxyv2:absent-${index}`),
      ),
    ]);
    const result = await kit.scan();
    expect(result.summary).toMatchObject({
      pods: { all: 1, refused: 1 },
      reasons: { 'too-many-images': 4936, 'image-not-found': 64 },
    });
    expect(result.cost.registryRequests).toBeLessThanOrEqual(64 * 3);
    expect(result.owners[0]?.findings).toHaveLength(64);
  });

  it('in the paths of a custom resource are bounded', async () => {
    const mirror = await startRegistry();
    const kit = await startScanKit(mirror);
    const image = mirror.add({ by: false }).byTag;
    kit.cluster.put('/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/long', {
      kind: 'Rollout',
      metadata: { name: 'long', namespace: 'shop', uid: 'uid-of-long' },
      spec: { ['x'.repeat(1_000_000)]: { containers: [{ name: 'istio-proxy', image }] } },
    });
    const result = await kit.scan();
    expect(result.owners).toMatchObject([{ kind: 'Rollout', name: 'long', status: 'refused' }]);
    expect(JSON.stringify([result.images, result.owners]).length).toBeLessThan(10_000);
  });

  it('of no shape that Kubernetes knows are counted, and named as not judged', async () => {
    const kit = await startScanKit(await startRegistry());
    kit.putPods([
      podNamed('good', ['docker.io/library/nginx:1'], 'app'),
      pod({ containers: 'none' as never }, { name: 'bad', namespace: 'shop' }),
    ]);
    const { summary, coverage } = await kit.scan();
    expect(summary.pods).toMatchObject({ all: 2, other: 1, unknown: 1 });
    expect(coverage.cut).toEqual([
      "Objects of another shape than Kubernetes' own, which were not judged: 1.",
    ]);
  });
});

describe('a registry that does not respond', () => {
  it('is asked about each image once, however many pods have it', async () => {
    const mirror = await startRegistry();
    const { byTag } = mirror.add();
    mirror.registry.fault = respondWith(503);
    const kit = await startScanKit({ configuration: mirror.configuration });
    kit.putPods([podNamed('pod-0', [byTag])]);
    await kit.scan();
    const once = mirror.registry.requests.length;
    mirror.registry.clearRequests();
    kit.putPods(Array.from({ length: 300 }, (_, index) => podNamed(`pod-${index}`, [byTag])));
    const again = await startScanKit({ configuration: mirror.configuration });
    again.putPods(Array.from({ length: 300 }, (_, index) => podNamed(`pod-${index}`, [byTag])));
    const result = await again.scan();
    expect(result.summary.pods).toMatchObject({ all: 300, unknown: 300 });
    expect(mirror.registry.requests).toHaveLength(once);
  });

  it('keeps no other waiting, and after a while is not asked any more', async () => {
    const [slow, quick] = [await startRegistry(), await startRegistry()];
    slow.registry.fault = hang;
    const good = quick.add();
    const configuration = {
      keys: [{ inline: quick.release.publicPem }],
      mirrors: [slow, quick].map(({ registry: { host } }) => ({
        mirror: `${host}/istio`,
        of: 'docker.io/istio',
      })),
      registries: [slow, quick].map(({ registry: { host } }) => ({ host, plainHTTP: true })),
      limits: { registrySilence: '500ms' },
    };
    const kit = await startScanKit({ configuration });
    const hanging = Array.from(
      { length: 100 },
      (_, index) => `${slow.registry.host}/istio/proxyv2:t${index}`,
    );
    kit.putPods([...hanging, good.byTag].map((image, index) => podNamed(`pod-${index}`, [image])));
    const result = await kit.scan({ timeout: 1000 });
    expect(result.summary.pods).toMatchObject({ all: 101, unknown: 100, verified: 1 });
    expect(result.durationMs).toBeLessThan(10_000);
    const asked = new Set(slow.registry.requests.map(({ path }) => path)).size;
    expect(asked).toBeLessThan(40);
    expect(result.coverage.cut.join()).toContain(`${slow.registry.host} did not answer`);
  });

  it('does not make what was interrupted seem unknown', async () => {
    const mirror = await startRegistry();
    const good = mirror.add({ component: 'pilot' });
    const { byTag } = mirror.add();
    mirror.registry.faults.set('istio/proxyv2', hang);
    const kit = await startScanKit({ configuration: mirror.configuration });
    kit.putPods([podNamed('good', [good.byTag]), podNamed('waits', [byTag])]);
    const interrupted = new AbortController();
    setTimeout(() => interrupted.abort(), 1500);
    const result = await kit.scan({ signal: interrupted.signal });
    expect(result).toMatchObject({ complete: false, summary: { pods: { all: 1, verified: 1, unknown: 0 } } });
    expect(result.durationMs).toBeLessThan(5000);
  });
});

describe('a namespace', () => {
  it('takes at most what it leaves free to the others', () => {
    const { take, refused } = createShares(10);
    const taken = Array.from({ length: 20 }, () => take('greedy')).filter(Boolean).length;
    expect(taken).toBe(5);
    expect(take('other')).toBe(true);
    expect(refused()).toBe(15);
  });
});
