import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageIndex } from '../../support/signing-kit.ts';
import { ISTIO_NAMESPACE, installGatewayApi, istioctl, startIstiod } from '../control-plane/istiod.ts';
import type { Container, KubernetesObject } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { podsIn } from './observations.ts';

/*
 * Istio's own istiod before the webhook: pods go through the real injector first, and gateways are made by the real
 * controller. The default revision takes its images from a mirror, where they are signed; the revision `canary` takes
 * them from the hub, where nobody signed that release.
 */

const SIGNED = '1.28.0';
const UNSIGNED = '1.29.0';
const HUB = 'docker.io/istio';
const APP = 'registry.example/shop:1';

/** Annotations by which a pod chooses how it is injected. */
const IMAGE = 'sidecar.istio.io/proxyImage';
const NATIVE = 'sidecar.istio.io/nativeSidecar';

interface InjectedContainer extends Container {
  readonly restartPolicy?: string;
}
interface InjectedPod {
  readonly spec: {
    readonly initContainers?: readonly InjectedContainer[];
    readonly containers: readonly InjectedContainer[];
  };
}

describe('the pods that Istio’s injector and gateway controller make', () => {
  const started = new AsyncDisposableStack();
  let cluster: Cluster;
  let mirror: string;
  beforeAll(async () => {
    cluster = await startCluster();
    started.defer(() => cluster.stop());
    mirror = `${cluster.registry.host}/istio`;
    for (const name of ['pilot', 'proxyv2']) {
      cluster.publish(name, SIGNED);
      cluster.publish(name, UNSIGNED, { signed: false });
    }
    await cluster.install({ mode: 'enforce', config: { tagMemory: '0s', mirrors: [{ mirror, of: HUB }] } });
    for (const [name, labels] of Object.entries({
      [ISTIO_NAMESPACE]: {},
      shop: { 'istio-injection': 'enabled' },
      canary: { 'istio.io/rev': 'canary' },
      tagged: { 'istio.io/rev': 'prod' },
      edge: {},
    }))
      await cluster.createNamespace(name, labels);
    await installGatewayApi(cluster);
    started.use(await startIstiod(cluster, { hub: mirror, tag: SIGNED }));
    started.use(await startIstiod(cluster, { hub: HUB, tag: UNSIGNED, revision: 'canary' }));
    await istioctl(cluster, 'tag', 'set', 'prod', '--revision', 'default');
    for (const namespace of ['shop', 'canary', 'tagged']) await untilInjected(namespace);
  });
  afterAll(() => started.disposeAsync());

  let made = 0;
  const podOf = (namespace: string, annotations = {}): KubernetesObject => {
    made += 1;
    const metadata = { name: `pod-${made}`, namespace, annotations };
    const spec = { containers: [{ name: 'app', image: APP }] };
    return { apiVersion: 'v1', kind: 'Pod', metadata, spec };
  };
  const describePod = ({ spec: { initContainers = [], containers } }: InjectedPod): readonly string[] => {
    const describeAs = (kind: string) => (container: InjectedContainer) =>
      `${container.restartPolicy === 'Always' ? 'native sidecar' : kind} ${container.name}: ${container.image}`;
    return [...initContainers.map(describeAs('init container')), ...containers.map(describeAs('container'))];
  };
  /** Tries to create a pod. Resolves with its containers, or with the sentence of the webhook that refused it. */
  const tryPod = async (namespace: string, annotations = {}, query = '') => {
    const { status, body } = await cluster.api.tryCreate(podOf(namespace, annotations), query);
    return status === 201 ? describePod(body as InjectedPod) : (body as { readonly message: string }).message;
  };
  /** Waits until the API server sends pods of a namespace to an injector. */
  const untilInjected = (namespace: string): Promise<unknown> =>
    until(`pods of ${namespace} are injected`, async () => {
      const seen = await tryPod(namespace, {}, '?dryRun=All');
      return JSON.stringify(seen).includes('istio-init');
    });
  const refusal = (image: string, where: string, others = '') =>
    expect.stringMatching(
      new RegExp(
        `^admission webhook "[a-z]+\\.sailmark\\.dev" denied the request: image "${image}" in ${where}: no signature was found \\(signature-missing\\).*${others}$`,
      ),
    ) as string;
  /** An image as it is pinned: the reference as written, and the digest that was verified. */
  const pinned = (place: string, name = 'proxyv2'): string =>
    `${place}/${name}:${SIGNED}@${imageIndex(`${name} ${SIGNED}`).digest}`;

  /** Waits for the sentence by which the pods of a workload are refused: the event of its ReplicaSet. */
  const untilRefused = async (namespace: string, workload: string): Promise<string> => {
    interface Event {
      readonly reason: string;
      readonly note: string;
      readonly regarding: { readonly kind: string; readonly name: string };
    }
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const { note } = await until(`the pods of ${workload} are refused`, async () => {
      const { items } = await cluster.api.get<{ readonly items: readonly Event[] }>(path);
      return items.find(
        ({ reason, regarding }) => reason === 'FailedCreate' && regarding.name.startsWith(`${workload}-`),
      );
    });
    return note.replace('Error creating: ', '');
  };
  const untilMade = async (namespace: string, selector: string): Promise<readonly string[]> => {
    const pod = await until(`a pod of ${selector}`, async () => {
      const [found] = await podsIn(cluster, namespace, encodeURIComponent(selector));
      return found;
    });
    return describePod(pod);
  };
  const createGateway = (name: string, labels = {}): Promise<unknown> =>
    cluster.api.create({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name, namespace: 'edge', labels },
      spec: { gatewayClassName: 'istio', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    });

  describe('are refused, in a sentence that names the image, where', () => {
    it('the injector’s own image is unsigned', async () => {
      const image = `${HUB}/proxyv2:${UNSIGNED}`;
      const where = String.raw`init container "istio-init" \(spec\.initContainers\[0\]\.image\)`;
      const others = String.raw`\(and 1 more: container "istio-proxy" signature-missing\)`;
      expect(await tryPod('canary')).toEqual(refusal(image, where, others));
      const native = String.raw`\(and 1 more: init container "istio-proxy" signature-missing\)`;
      expect(await tryPod('canary', { [NATIVE]: 'true' })).toEqual(refusal(image, where, native));
    });

    it('the pod told the injector to take another image', async () => {
      const image = `${mirror}/proxyv2:${UNSIGNED}`;
      expect(await tryPod('shop', { [IMAGE]: image })).toEqual(
        refusal(image, 'init container "istio-init" .*'),
      );
      expect(await tryPod('shop', { [IMAGE]: 'other.example/proxyv2:1.28.0' })).toContain(
        '(image-look-alike)',
      );
    });

    it('a Deployment’s pods are injected with an unsigned image', async () => {
      const labels = { app: 'deployed' };
      await cluster.api.create({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'deployed', namespace: 'canary' },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: APP }] } },
        },
      });
      expect(await untilRefused('canary', 'deployed')).toEqual(
        refusal(`${HUB}/proxyv2:${UNSIGNED}`, 'init container "istio-init" .*'),
      );
    });

    it('the gateway controller’s own image is unsigned, for a Gateway of the Gateway API', async () => {
      await createGateway('unsigned', { 'istio.io/rev': 'canary' });
      const container = String.raw`container "istio-proxy" \(spec\.containers\[0\]\.image\)`;
      expect(await untilRefused('edge', 'unsigned-istio')).toEqual(
        refusal(`${HUB}/proxyv2:${UNSIGNED}`, container),
      );
    });

    it('the revision’s own istiod is unsigned', async () => {
      const container = String.raw`container "discovery" \(spec\.containers\[0\]\.image\)`;
      expect(await untilRefused(ISTIO_NAMESPACE, 'istiod-canary')).toEqual(
        refusal(`${HUB}/pilot:${UNSIGNED}`, container),
      );
    });
  });

  describe('start where their image is signed, pinned to the digest that was verified:', () => {
    it('a pod of a labelled namespace, with a sidecar of either kind', async () => {
      const image = pinned(mirror);
      expect(await tryPod('shop', { [NATIVE]: 'false' })).toEqual([
        `init container istio-init: ${image}`,
        `container app: ${APP}`,
        `container istio-proxy: ${image}`,
      ]);
      expect(await tryPod('shop', { [NATIVE]: 'true' })).toEqual([
        `init container istio-init: ${image}`,
        `native sidecar istio-proxy: ${image}`,
        `container app: ${APP}`,
      ]);
    });

    it('a pod whose image is of the hub, not of the mirror', async () => {
      const image = `${HUB}/proxyv2:${SIGNED}`;
      expect(await tryPod('canary', { [IMAGE]: image, [NATIVE]: 'true' })).toEqual([
        `init container istio-init: ${pinned(HUB)}`,
        `native sidecar istio-proxy: ${pinned(HUB)}`,
        `container app: ${APP}`,
      ]);
    });

    it('a gateway that the injector fills in', async () => {
      const object = podOf('shop', { 'inject.istio.io/templates': 'gateway' });
      const spec = { containers: [{ name: 'istio-proxy', image: 'auto' }] };
      const { body } = await cluster.api.tryCreate({ ...object, spec });
      expect(describePod(body as InjectedPod)).toEqual([`container istio-proxy: ${pinned(mirror)}`]);
    });

    it('a Gateway of the Gateway API, whose Deployment istiod makes', async () => {
      await createGateway('signed');
      expect(await untilMade('edge', 'gateway.networking.k8s.io/gateway-name=signed')).toEqual([
        `container istio-proxy: ${pinned(mirror)}`,
      ]);
      // A template keeps its tag: istiod would change it back.
      const { spec } = await cluster.api.get<{ readonly spec: { readonly template: InjectedPod } }>(
        '/apis/apps/v1/namespaces/edge/deployments/signed-istio',
      );
      expect(describePod(spec.template)).toEqual([`container istio-proxy: ${mirror}/proxyv2:${SIGNED}`]);
    });

    it('istiod itself', async () => {
      expect(await untilMade(ISTIO_NAMESPACE, 'app=istiod,istio.io/rev=default')).toEqual([
        `container discovery: ${pinned(mirror, 'pilot')}`,
      ]);
    });
  });

  it('follow a revision’s tag from a signed revision to an unsigned one and back', async () => {
    const image = `${HUB}/proxyv2:${UNSIGNED}`;
    const point = (revision: string) =>
      istioctl(cluster, 'tag', 'set', 'prod', '--revision', revision, '--overwrite');
    const untilStarts = (starts: boolean) =>
      until(`pods of the tag ${starts ? 'start' : 'are refused'}`, async () => {
        const seen = await tryPod('tagged', {}, '?dryRun=All');
        return Array.isArray(seen) === starts;
      });
    await untilStarts(true);
    await point('canary');
    await untilStarts(false);
    expect(await tryPod('tagged')).toEqual(refusal(image, 'init container "istio-init" .*'));
    await point('default');
    await untilStarts(true);
    expect(await tryPod('tagged')).toContain(`init container istio-init: ${pinned(mirror)}`);
  });

  describe('while the registry answers nothing but 503', () => {
    beforeAll(() => {
      cluster.registry.fault = (_, response) => {
        response.writeHead(503).end();
        return true;
      };
    });
    afterAll(() => {
      cluster.registry.fault = undefined;
    });

    it('are refused where nobody verified their image before', async () => {
      const image = `${HUB}/proxyv2:1.27.0`;
      expect(await tryPod('shop', { [IMAGE]: image })).toContain(
        `image "${image}" in init container "istio-init"`,
      );
    });

    it('start where it was, pinned to the digest that the tag last stood for', async () => {
      expect(await tryPod('shop', { [NATIVE]: 'true' })).toEqual([
        `init container istio-init: ${pinned(mirror)}`,
        `native sidecar istio-proxy: ${pinned(mirror)}`,
        `container app: ${APP}`,
      ]);
    });
  });

  it('are refused as soon as a tag is moved to an unsigned image', async () => {
    cluster.publish('proxyv2', SIGNED, { seed: 'moved', signed: false });
    expect(await tryPod('shop')).toEqual(
      refusal(`${mirror}/proxyv2:${SIGNED}`, 'init container "istio-init" .*'),
    );
  });
});
