import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drop } from '../../support/mirror-and-webhook.ts';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { CHART, type Cluster, NAMESPACE, startCluster } from './cluster.ts';

/*
 * Replicas share what they verified in ConfigMaps of the release, on a real API server: one that has just started knows
 * it while the registry is away, and no upgrade loses it.
 */

const NAMES = ['tags', '0', '1', '2', '3'].map((name) => `sailmark-evidence-${name}`);
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
/** The bytes of data that the API server takes in a ConfigMap are 1 MiB; these are `sharedEvidenceBytes` at most. */
const MOST_BYTES = 960 * 1024;

interface ConfigMap {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

describe('evidence that replicas share', () => {
  let cluster: Cluster;
  let signed: string;
  let unknown: string;
  let tried = 0;

  const read = (name: string): Promise<ConfigMap> => cluster.api.get<ConfigMap>(`${CONFIG_MAPS}/${name}`);
  const dataOfAll = async (): Promise<Readonly<Record<string, string>>> =>
    Object.assign({}, ...(await Promise.all(NAMES.map(read))).map(({ data }) => data ?? {}));
  const tryPod = async (image: string): Promise<string> => {
    tried += 1;
    const pod: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `tried-${tried}`, namespace: 'shop' },
      spec: { containers: [{ name: 'istio-proxy', image }] },
    };
    const { status, body } = await cluster.api.tryCreate(pod, '?dryRun=All');
    return status === 201 ? 'starts' : (body as { readonly message: string }).message;
  };
  /** Tries an image so often that every replica is asked. */
  const outcomesOf = async (image: string): Promise<ReadonlySet<string>> => {
    const outcomes: string[] = [];
    for (let times = 0; times < 12; times += 1) outcomes.push(await tryPod(image));
    return new Set(outcomes);
  };
  const restart = async (count: number): Promise<void> => {
    const stopped = cluster.kubelet.pods().slice(0, count);
    for (const { pod } of stopped)
      await cluster.api.remove(`/api/v1/namespaces/${NAMESPACE}/pods/${pod.metadata.name}`, {
        gracePeriodSeconds: 30,
      });
    await Promise.all(stopped.map(({ gone }) => gone));
    await cluster.kubelet.untilReady(2);
  };
  const expectKnown = async (): Promise<void> => {
    expect(await outcomesOf(signed)).toEqual(new Set(['starts']));
    for (const outcome of await outcomesOf(unknown)) expect(outcome).toContain('registry-unavailable');
  };

  beforeAll(async () => {
    cluster = await startCluster();
    signed = cluster.publish('proxyv2', '1.24.0');
    unknown = cluster.publish('proxyv2', '1.24.1');
    await cluster.createNamespace('shop');
    await cluster.install({ mode: 'enforce', config: { limits: { drain: '1s' } } });
  });
  afterAll(() => cluster?.stop());

  it('cannot be lost by writing for an older version, and fits into a ConfigMap at its largest', async () => {
    const metadata = { name: 'probe', namespace: NAMESPACE };
    await cluster.api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    const { resourceVersion } = (await read('probe')).metadata;
    const change = (data: object) =>
      cluster.api.send('PATCH', `${CONFIG_MAPS}/probe`, {
        body: { metadata: { resourceVersion }, data },
        type: 'application/merge-patch+json',
      });
    const rows = Array.from({ length: MOST_BYTES / 240 }, (_, index) => [
      `${index}`.padStart(32, '0'),
      '"'.repeat(208),
    ]);
    expect((await change(Object.fromEntries(rows))).status).toBe(200);
    expect((await change({ lost: 'x' })).status).toBe(409);
    expect(Object.keys((await read('probe')).data ?? {})).toHaveLength(rows.length);
  });

  it('lets what one verified start by a replica that has just started, the registry gone', async () => {
    expect(await tryPod(signed)).toBe('starts');
    await until('the image and its tag are stored', async () => Object.keys(await dataOfAll()).length === 2);
    cluster.registry.fault = drop;
    await restart(1);
    await expectKnown();
    await restart(2);
    await expectKnown();
  });

  it('stays through upgrades and a server-side apply, which own none of it', async () => {
    const before = await dataOfAll();
    await cluster.upgrade({ mode: 'enforce', config: { limits: { drain: '2s' } } });
    expect(await dataOfAll()).toEqual(before);
    const values = await cluster.writeValues({ ...cluster.values, mode: 'enforce' });
    const rendered = await cluster.helm(
      'template',
      'sailmark',
      CHART,
      '--namespace',
      NAMESPACE,
      '--values',
      values,
      '--show-only',
      'templates/evidence.yaml',
    );
    const file = await cluster.writeValues({});
    await writeFile(file, rendered);
    const apply = [
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager',
      'gitops',
      '--filename',
      file,
    ];
    expect(await cluster.kubectl(...apply)).toMatchObject({ code: 0 });
    expect(await dataOfAll()).toEqual(before);
    await expectKnown();
  });

  it('is written again where a ConfigMap was deleted, and an upgrade brought it back', async () => {
    const before = await dataOfAll();
    for (const name of NAMES) await cluster.api.remove(`${CONFIG_MAPS}/${name}`);
    expect(await outcomesOf(signed)).toEqual(new Set(['starts']));
    await cluster.upgrade({ mode: 'enforce', config: { limits: { drain: '2s' } } });
    await until('all of it', async () => Object.keys(await dataOfAll()).length === 2, { seconds: 90 });
    expect(Object.keys(await dataOfAll()).toSorted()).toEqual(Object.keys(before).toSorted());
    await restart(2);
    await expectKnown();
  });
});
