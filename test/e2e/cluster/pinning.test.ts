import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container, KubernetesObject, Pod } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startInjectingWebhook } from './injecting-webhook.ts';

/*
 * The images that the node is told to pull, as the API server stores them: pods by tag behind the real chain of webhooks, with the
 * chart's own values in enforce mode.
 */

const NAMESPACE = 'shop';
const AUDITED = 'audited';
const CRITICAL = 'istio-system';
const BEFORE = 'istio-sidecar-injector';
const AFTER = 'zzz-injector';
const app = { name: 'app', image: 'registry.example/shop:1' };
const PINNING = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/zz-sailmark';

interface StoredPod extends Pod {
  readonly spec: Pod['spec'] & {
    readonly containers: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
  };
}

describe('a pod by tag', () => {
  const started = new AsyncDisposableStack();
  let cluster: Cluster;
  let signed: string;
  let next: string;
  let unsigned: string;
  beforeAll(async () => {
    cluster = await startCluster();
    started.defer(() => cluster.stop());
    signed = cluster.publish('proxyv2', '1.24.0');
    next = cluster.publish('proxyv2', '1.24.2');
    unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
    for (const namespace of [NAMESPACE, CRITICAL]) await cluster.createNamespace(namespace);
    await cluster.createNamespace(AUDITED, { 'sailmark.dev/mode': 'audit' });
    await cluster.install({
      mode: 'enforce',
      modes: { allowWeakerLabels: true },
      config: { tagMemory: '0s' },
    });
    await until('the API server calls both webhooks', async () => {
      const { status } = await tryPod('probe', [sidecar(unsigned)], { query: '?dryRun=All' });
      const pinned = await tryPod('probe', [sidecar(signed)], { query: '?dryRun=All' });
      return status === 403 && pinned.status === 201;
    });
  });
  afterAll(() => started.disposeAsync());

  const sidecar = (image: string, name = 'istio-proxy') => ({ name, image });
  const podOf = (
    name: string,
    containers: readonly object[],
    namespace = NAMESPACE,
    labels = {},
  ): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: { containers: [app, ...containers] },
  });
  /** Tries to create a pod. Resolves with its images, or with the message of the refusal. */
  const tryPod = async (
    name: string,
    containers: readonly object[],
    { namespace = NAMESPACE, query = '', labels = {} } = {},
  ) => {
    const { status, body, warnings } = await cluster.api.tryCreate(
      podOf(name, containers, namespace, labels),
      query,
    );
    if (status !== 201) return { status, message: (body as { readonly message: string }).message, warnings };
    return { status, images: imagesOf(body as StoredPod), warnings };
  };
  const imagesOf = ({ spec: { containers } }: StoredPod): readonly (string | undefined)[] =>
    containers.slice(1).map(({ image }) => image);
  /** The image with the digest that its tag has in the registry now. */
  const pinnedNow = async (image: string): Promise<string> => {
    const { status, images = [] } = await tryPod('lookup', [sidecar(image)], { query: '?dryRun=All' });
    expect([status, images[0]]).toEqual([201, expect.stringMatching(/@sha256:[0-9a-f]{64}$/)]);
    return images[0] as string;
  };
  const podPath = (name: string): string => `/api/v1/namespaces/${NAMESPACE}/pods/${name}`;
  const signatureMissing = expect.stringContaining('no signature was found (signature-missing)') as string;

  it('is refused if its image is not signed, with that reason, pinned or not', async () => {
    expect(await tryPod('refused', [sidecar(unsigned)])).toMatchObject({
      status: 403,
      message: signatureMissing,
    });
  });

  it('is refused, if the registry takes longer than the timeout that its creator chose, whatever the tag was before', async () => {
    const moving = cluster.publish('proxyv2', 'timed');
    expect((await tryPod('timed-before', [sidecar(moving)])).status).toBe(201);
    cluster.publish('proxyv2', 'timed', { signed: false, seed: 'moved' });
    cluster.registry.fault = (_request, response) => {
      setTimeout(() => response.writeHead(404).end(), 30_000).unref();
      return true;
    };
    try {
      // 504, or no response: the API server's own deadline, if it ends before the webhook's response arrives.
      const status = await tryPod('timed', [sidecar(moving)], { query: '?timeout=1s' }).then(
        (response) => response.status,
        () => 504,
      );
      expect([403, 504]).toContain(status);
    } finally {
      cluster.registry.fault = undefined;
    }
    expect(await cluster.api.find(podPath('timed'))).toBe(undefined);
    // The request that hangs is shared until it ends. It is the registry's silence: the tag is pinned as it was before.
    await until('the registry is asked again', async () => {
      const { status } = await tryPod('timed', [sidecar(moving)], { query: '?dryRun=All' });
      return status === 403;
    });
    expect(await tryPod('timed', [sidecar(moving)])).toMatchObject({
      status: 403,
      message: signatureMissing,
    });
  });

  it('is stored with the digest that was verified, on a dry run too, with an audit annotation', async () => {
    const result = await tryPod('pinned', [sidecar(signed)]);
    expect(result).toEqual({
      status: 201,
      images: [expect.stringMatching(/:1\.24\.0@sha256:[0-9a-f]{64}$/)],
      warnings: [],
    });
    const dry = await tryPod('dry', [sidecar(signed)], { query: '?dryRun=All' });
    expect(dry.images).toEqual(result.images);
    const { annotations } = await cluster.audit.find(
      'creation of the pod',
      ({ verb, objectRef }) => verb === 'create' && objectRef?.name === 'pinned',
    );
    expect(annotations).toMatchObject({
      'pin.sailmark.dev/pinned': result.images?.[0],
      'enforce.sailmark.dev/verdict': 'allow',
    });
  });

  it('is stored with that digest, though the tag moves between the two webhooks', async () => {
    const moving = cluster.publish('proxyv2', 'moving');
    const pinned = await pinnedNow(moving);
    const mover = await startInjectingWebhook(cluster, AFTER, signed);
    await untilInjects(AFTER);
    mover.onReview = () => void cluster.publish('proxyv2', 'moving', { signed: false, seed: 'moved on' });
    const { status, images } = await tryPod('moving', [sidecar(moving)], { labels: { inject: AFTER } });
    expect([status, images]).toEqual([201, [pinned]]);
    await mover.close();
    await until('the tag is seen to have moved', async () => {
      const after = await tryPod('moved', [sidecar(moving)], { query: '?dryRun=All' });
      return after.status === 403;
    });
  });

  /** Waits until the API server calls an injector. */
  const untilInjects = (inject: string): Promise<unknown> =>
    until(`${inject} is called`, async () => {
      const {
        status,
        images = [],
        message = '',
      } = await tryPod('probe', [], { query: '?dryRun=All', labels: { inject } });
      return status === 201 ? images.length > 0 : message.includes('istio-proxy');
    });

  it('is pinned with the sidecar of an injector before', async () => {
    const injector = await startInjectingWebhook(cluster, BEFORE, signed);
    await untilInjects(BEFORE);
    const { images } = await tryPod('injected', [], { labels: { inject: BEFORE } });
    expect(images).toEqual([await pinnedNow(signed)]);
    await injector.close();
  });

  it('is pinned with the sidecar of an injector after if it was pinned once before; otherwise it is refused', async () => {
    const injector = await startInjectingWebhook(cluster, AFTER, signed);
    await untilInjects(AFTER);
    const labels = { inject: AFTER };
    const again = await tryPod('reinvoked', [sidecar(next, 'gateway')], { labels });
    expect(again.images).toEqual([await pinnedNow(next), await pinnedNow(signed)]);
    expect(await tryPod('skipped', [], { labels })).toMatchObject({
      status: 403,
      message: expect.stringContaining('(image-not-pinned)') as string,
    });
    await injector.close();
  });

  it('gets its digest back on an update that drops it, and its new ephemeral containers are pinned', async () => {
    const { images = [] } = await tryPod('updated', [sidecar(signed)]);
    const stored = await cluster.api.get<StoredPod>(podPath('updated'));
    const replaced = await cluster.api.sendOrThrow<StoredPod>('PUT', podPath('updated'), {
      body: {
        ...stored,
        spec: {
          ...stored.spec,
          containers: [stored.spec.containers[0], { ...stored.spec.containers[1], image: signed }],
        },
      },
    });
    expect(imagesOf(replaced)).toEqual(images);
    const debugged = await cluster.api.patch<StoredPod>(
      `${podPath('updated')}/ephemeralcontainers`,
      { spec: { ephemeralContainers: [{ name: 'debug', image: next }] } },
      'strategic-merge',
    );
    expect(debugged.spec.ephemeralContainers?.map(({ image }) => image)).toEqual([await pinnedNow(next)]);
    expect(imagesOf(debugged)).toEqual(images);
  });

  it('is pinned in a critical namespace, and left as it is where audit holds', async () => {
    const { images, warnings } = await tryPod('critical', [sidecar(signed)], { namespace: CRITICAL });
    expect([images, warnings]).toEqual([[await pinnedNow(signed)], []]);
    expect((await tryPod('audited', [sidecar(signed)], { namespace: AUDITED })).images).toEqual([signed]);
  });

  it('is refused where the mutating webhook is gone, though its image is verified; a digest is admitted', async () => {
    const pinned = await pinnedNow(signed);
    await cluster.api.remove(PINNING);
    await until('the API server does not pin any more', async () => {
      const { status } = await tryPod('probe', [sidecar(signed)], { query: '?dryRun=All' });
      return status === 403;
    });
    expect(await tryPod('skipped', [sidecar(signed)])).toMatchObject({
      status: 403,
      message: expect.stringContaining(
        'referenced by tag, and the mutating webhook did not pin it to the verified digest (image-not-pinned)',
      ) as string,
    });
    expect((await tryPod('by-digest', [sidecar(pinned)])).images).toEqual([pinned]);
    const critical = await tryPod('warned', [sidecar(signed)], { namespace: CRITICAL });
    expect(critical).toEqual({
      status: 201,
      images: [signed],
      warnings: [expect.stringContaining('(image-not-pinned)')],
    });
  });
});
