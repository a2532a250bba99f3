import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiResponse } from '../control-plane/api.ts';
import { sumOf } from '../control-plane/metrics.ts';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { RELEASES, type Release } from '../control-plane/programs.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, startCluster } from './cluster.ts';

/*
 * The reviews that the API server sends during the life of a pod, and their results in enforce mode: on the oldest API
 * server that the chart supports, the usual one and the newest.
 */

const NAMESPACE = 'shop';
/** A namespace with the label `audit`. */
const AUDITED = 'audited';
const CRITICAL = 'istio-system';
/** The API server encodes each of these characters as six bytes of JSON. */
const PADDING = '<'.repeat(1.4 * 2 ** 20);

const REFUSED = { status: 403, reason: 'signature-missing' };
const ADMITTED = { status: 200, reason: undefined };
const CREATED = { status: 201, reason: undefined };

const app = { name: 'app', image: 'registry.example/shop:1' };

/** Other places of an image in a pod. */
const PLACES = [
  {
    what: 'native sidecar',
    specOf: (image: string) => ({
      containers: [app],
      initContainers: [{ name: 'istio-proxy', image, restartPolicy: 'Always' }],
    }),
  },
  {
    what: 'image volume',
    specOf: (reference: string) => ({
      containers: [app],
      volumes: [{ name: 'files', image: { reference } }],
    }),
  },
] as const;

/**
 * Leaves out image volumes before Kubernetes 1.33: they are off by default, and the API server drops them from a pod.
 */
const placesOf = (release: Release) =>
  PLACES.filter(({ what }) => what !== 'image volume' || release !== '1.30');

/** Returns the status of a response, and the code of our refusal. */
const gist = ({ status, body }: ApiResponse) => {
  const { message = '' } = body as { readonly message?: string };
  return { status, reason: /denied the request: .*\((\S+)\);/.exec(message)?.[1] };
};

describe.each(RELEASES)('reviews in Kubernetes %s', (release) => {
  let cluster: Cluster;
  let signed: string;
  let next: string;
  let unsigned: string;
  beforeAll(async () => {
    cluster = await startCluster({ release });
    signed = cluster.publish('proxyv2', '1.24.0');
    next = cluster.publish('proxyv2', '1.24.2');
    unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
    await cluster.createNamespace(NAMESPACE);
    await cluster.createNamespace(AUDITED, { 'sailmark.dev/mode': 'audit' });
    await cluster.createNamespace(CRITICAL);
    await cluster.install({ mode: 'enforce', modes: { allowWeakerLabels: true } });
    await until('the API server asks', async () => {
      const probe = podOf('probe', { containers: [{ name: 'app', image: unsigned }] });
      const { status } = await cluster.api.tryCreate(probe, '?dryRun=All');
      return status === 403;
    });
  });
  afterAll(() => cluster?.stop());

  const podOf = (name: string, spec: object, namespace = NAMESPACE): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec,
  });
  const meshed = (image: string) => ({ containers: [app, { name: 'istio-proxy', image }] });
  const tryPod = async (name: string, spec: object, namespace?: string, query?: string) =>
    gist(await cluster.api.tryCreate(podOf(name, spec, namespace), query));
  const patch = async (name: string, body: object, { namespace = NAMESPACE, subresource = '' } = {}) =>
    gist(
      await cluster.api.send('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}${subresource}`, {
        body,
        type: 'application/strategic-merge-patch+json',
      }),
    );

  /**
   * Resolves with the number of calls of the webhook outside critical namespaces, from the API server's own metrics.
   */
  const asked = async (): Promise<number> => {
    const samples = await cluster.metrics();
    const entries = ['enforce', 'warn', 'audit'];
    const counts = entries.map((entry) =>
      sumOf(samples, 'apiserver_admission_webhook_request_total', { name: `${entry}.sailmark.dev` }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  /** Resolves with the result of an action, and the number of calls of the webhook during it. */
  const counting = async <Result>(act: () => Promise<Result>) => {
    const before = await asked();
    const result = await act();
    return { result, asked: (await asked()) - before };
  };

  it('refuse a pod with an unsigned sidecar, and admit it with a signed one', async () => {
    expect(await counting(() => tryPod('created', meshed(unsigned)))).toEqual({ result: REFUSED, asked: 1 });
    expect(await counting(() => tryPod('created', meshed(signed)))).toEqual({ result: CREATED, asked: 1 });
  });

  it.each(placesOf(release))('refuse an unsigned $what', async ({ what, specOf }) => {
    const name = what.replaceAll(' ', '-');
    expect(await tryPod(name, specOf(unsigned))).toEqual(REFUSED);
    expect(await tryPod(name, specOf(signed))).toEqual(CREATED);
  });

  it('refuse an update of an image to an unsigned one', async () => {
    expect(await tryPod('updated', meshed(signed))).toEqual(CREATED);
    const update = (image: string) =>
      counting(() => patch('updated', { spec: { containers: [{ name: 'istio-proxy', image }] } }));
    expect(await update(unsigned)).toEqual({ result: REFUSED, asked: 1 });
    expect(await update(next)).toEqual({ result: ADMITTED, asked: 1 });
  });

  it('refuse an unsigned ephemeral container', async () => {
    expect(await tryPod('debugged', meshed(signed))).toEqual(CREATED);
    const debug = (name: string, image: string) =>
      counting(() =>
        patch(
          'debugged',
          { spec: { ephemeralContainers: [{ name, image }] } },
          { subresource: '/ephemeralcontainers' },
        ),
      );
    expect(await debug('bad', unsigned)).toEqual({ result: REFUSED, asked: 1 });
    expect(await debug('good', next)).toEqual({ result: ADMITTED, asked: 1 });
    expect(await debug('shell', 'busybox')).toEqual({ result: ADMITTED, asked: 0 });
  });

  it('are answered on a dry run too, and then leave no Event', async () => {
    expect(await tryPod('dry', meshed(unsigned), NAMESPACE, '?dryRun=All')).toEqual(REFUSED);
    expect(await tryPod('dry', meshed(unsigned), AUDITED, '?dryRun=All')).toEqual(CREATED);
    expect(await tryPod('wet', meshed(unsigned), AUDITED)).toEqual(CREATED);
    const { annotations } = await cluster.audit.find('the dry run', ({ requestURI }) =>
      requestURI.startsWith(`/api/v1/namespaces/${AUDITED}/pods?dryRun=All`),
    );
    expect(annotations).toMatchObject({ 'audit.sailmark.dev/reason': 'signature-missing' });
    const regarded = await until('an Event of the pod that was made', async () => {
      const { items } = await cluster.api.get<{
        readonly items: readonly { readonly regarding: { readonly name: string } }[];
      }>(`/apis/events.k8s.io/v1/namespaces/${AUDITED}/events`);
      const names = items.map(({ regarding }) => regarding.name);
      return names.includes('wet') ? names : undefined;
    });
    expect(regarded).toEqual(['wet']);
  });

  it('do not hold up labels and finalizers of an unverified pod that runs', async () => {
    expect(await tryPod('unverified', meshed(unsigned), AUDITED)).toEqual(CREATED);
    const running = { status: { phase: 'Running' } };
    expect(await patch('unverified', running, { namespace: AUDITED, subresource: '/status' })).toEqual(
      ADMITTED,
    );
    await cluster.api.patch(`/api/v1/namespaces/${AUDITED}`, {
      metadata: { labels: { 'sailmark.dev/mode': null } },
    });
    await until('it is enforced there', async () => {
      const { status } = await tryPod('probe', meshed(unsigned), AUDITED, '?dryRun=All');
      return status === 403;
    });
    const meta = (metadata: object) =>
      counting(() => patch('unverified', { metadata }, { namespace: AUDITED }));
    const untouched = { result: ADMITTED, asked: 0 };
    expect(await meta({ labels: { colour: 'blue' } })).toEqual(untouched);
    expect(await meta({ finalizers: ['sailmark.dev/test'] })).toEqual(untouched);
    const path = `/api/v1/namespaces/${AUDITED}/pods/unverified`;
    const { asked: askedOfDeletion } = await counting(() => cluster.api.remove(path));
    expect(askedOfDeletion).toBe(0);
    expect(await meta({ finalizers: null })).toEqual(untouched);
    expect(await cluster.api.find(path)).toBe(undefined);
  });

  it('are not asked for about pods without images of Istio', async () => {
    const act = async () => [
      await tryPod('plain', { containers: [app] }),
      await patch('plain', { spec: { containers: [{ name: 'app', image: 'registry.example/shop:2' }] } }),
      await patch('plain', { metadata: { labels: { colour: 'blue' } } }),
    ];
    expect(await counting(act)).toEqual({ result: [CREATED, ADMITTED, ADMITTED], asked: 0 });
  });

  it('refuse an unsigned pod in a critical namespace, whatever it is padded with', async () => {
    const padded = (image: string) => ({
      containers: [
        { ...app, args: [PADDING] },
        { name: 'istio-proxy', image },
      ],
    });
    expect(await tryPod('padded', padded(unsigned), CRITICAL)).toEqual(REFUSED);
    expect(await tryPod('padded', padded(signed), CRITICAL)).toEqual(CREATED);
    const change = { spec: { containers: [{ name: 'istio-proxy', image: unsigned }] } };
    expect(await patch('padded', change, { namespace: CRITICAL })).toEqual(REFUSED);
    expect(
      sumOf(await cluster.metrics(), 'apiserver_admission_match_condition_evaluation_errors_total'),
    ).toBe(0);
  });
});
