import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleImage } from '../control-plane/kubelet/container.ts';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { CHART, type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { takeInventory, takeSettledInventory } from './inventory.ts';
import {
  helm,
  type Images,
  measureWindow,
  OUR_REFUSAL,
  pod,
  startShop,
  tryPod,
  uninstall,
} from './lifecycle.ts';

/*
 * Installs that go well and that fail. Upgrades, rollbacks and the end of a release: upgrade.test.ts.
 */

describe('a release', () => {
  let cluster: Cluster;
  let images: Images;
  let before: readonly string[];
  beforeAll(async () => {
    cluster = await startCluster();
    images = await startShop(cluster);
    before = await takeSettledInventory(cluster.api);
  });
  afterAll(() => cluster?.stop());

  it('leaves a short window when it is installed in mode enforce', async () => {
    const measured = measureWindow(cluster, images.unsigned);
    await helm(cluster, 'install', CHART, { mode: 'enforce' });
    const window = await measured;
    console.log(`window of a healthy install in mode enforce: ${window} ms`);
    expect(window).toBeLessThan(30_000);
    await cluster.kubelet.untilReady(2);
    await uninstall(cluster);
    await until('nothing is left', async () => {
      expect(await takeInventory(cluster.api)).toEqual(before);
      return true;
    });
  });
});

describe('a fresh install in mode enforce that goes wrong', () => {
  let cluster: Cluster;
  let images: Images;
  beforeAll(async () => {
    const bundle = bundleImage(new URL('../../../dist', import.meta.url).pathname);
    cluster = await startCluster({
      image: (reference) => (reference.endsWith(':missing') ? undefined : bundle),
    });
    images = await startShop(cluster);
    await cluster.api.create(pod('shop', 'running', images.signed));
  });
  afterAll(() => cluster?.stop());

  const label = async (): Promise<string> => {
    const body = { metadata: { labels: { at: `${Date.now()}` } } };
    const { status } = await cluster.api.send('PATCH', '/api/v1/namespaces/shop/pods/running', {
      body,
      type: 'application/merge-patch+json',
    });
    return status === 200 ? 'starts' : `${status}`;
  };
  /** Tries to create or change a pod of every kind, and resolves with the results. */
  const outcomes = async () => ({
    'an Istio pod': await tryPod(cluster, 'shop', 'istio', images.signed),
    'another pod': await tryPod(cluster, 'shop', 'other', 'registry.example/shop:1', 'app'),
    'a label of an Istio pod that runs': await label(),
    'an Istio pod in istio-system': await tryPod(cluster, 'istio-system', 'istio', images.signed),
    'an Istio pod in kube-system': await tryPod(cluster, 'kube-system', 'istio', images.signed),
    'a pod in our namespace': await tryPod(cluster, NAMESPACE, 'ours', images.signed),
  });
  const expectEverythingStarts = async (): Promise<void> =>
    expect(new Set(Object.values(await outcomes()))).toEqual(new Set(['starts']));

  it('because its image cannot be pulled affects no pod', async () => {
    await helm(cluster, 'install', CHART, { mode: 'enforce', image: { tag: 'missing' } });
    await until('its pods are there', async () => cluster.kubelet.pods().length > 0);
    await expectEverythingStarts();
    expect(cluster.kubelet.pods().filter(({ ready }) => ready)).toEqual([]);
    await uninstall(cluster);
  });

  it('because it may not patch its webhook configuration affects no pod, and enforces as soon as it may', async () => {
    const values = { mode: 'enforce', rbac: { create: false } };
    const rendered = await helm(
      cluster,
      'template',
      CHART,
      { mode: 'enforce' },
      '--show-only',
      'templates/rbac.yaml',
    );
    const roles = loadAll(rendered) as readonly (KubernetesObject & {
      readonly rules?: readonly { readonly resources: readonly string[] }[];
    })[];
    for (const { rules, ...role } of roles) {
      const kept = rules?.filter(({ resources }) => !resources.includes('validatingwebhookconfigurations'));
      await cluster.api.create({ ...role, ...(kept && { rules: kept }) });
    }
    await helm(cluster, 'install', CHART, values);
    // The pods do not become ready: `helm install --wait` fails, and the log names the missing permission.
    await until('the log says what is missing', async () =>
      cluster.kubelet.pods().some((life) => life.logs().includes('validatingwebhookconfigurations')),
    );
    expect(cluster.kubelet.pods().filter(({ ready }) => ready)).toEqual([]);
    await expectEverythingStarts();

    // The operator grants the permission, and nothing else.
    const whole = roles.find(({ kind }) => kind === 'ClusterRole');
    await cluster.api.patch('/apis/rbac.authorization.k8s.io/v1/clusterroles/sailmark', {
      rules: whole?.['rules'],
    });
    await until('an unsigned image is refused', async () =>
      (await tryPod(cluster, 'shop', 'istio', images.unsigned)).includes(OUR_REFUSAL),
    );
    expect(await tryPod(cluster, 'shop', 'istio', images.signed)).toBe('starts');
  });

  it('is switched off by the commands that NOTES give, and enforces again after an upgrade', async () => {
    const notes = await cluster.helm('get', 'notes', 'sailmark', '--namespace', NAMESPACE);
    const [, command = ''] = /^In an emergency, switch it off.*\n {2}(kubectl .+)$/m.exec(notes) ?? [];
    const [, ...argv] = command.split(' ');
    expect(await cluster.kubectl(...argv)).toMatchObject({ code: 0 });
    await until('every pod starts', async () => {
      await expectEverythingStarts();
      return true;
    });
    const measured = measureWindow(cluster, images.unsigned);
    await helm(cluster, 'upgrade', CHART, { mode: 'enforce', rbac: { create: false } });
    const window = await measured;
    console.log(`window of an upgrade that brings the webhook configuration back: ${window} ms`);
    expect(window).toBeLessThan(20_000);
    expect(await tryPod(cluster, 'shop', 'istio', images.signed)).toBe('starts');
  });
});
