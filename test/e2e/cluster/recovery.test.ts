import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drop } from '../../support/mirror-and-webhook.ts';
import { imageIndex } from '../../support/signing-kit.ts';
import { bundleImage } from '../control-plane/kubelet/container.ts';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { outcome, PINNING, untilOutcome, WEBHOOKS } from './activation.ts';
import { CHART, type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { type Command, commandsBelow } from './emergency.ts';
import { takeInventory, takeSettledInventory } from './inventory.ts';
import { helm, type Images, startShop, tryPod } from './lifecycle.ts';
import { trustedBy } from './observations.ts';

/*
 * Recovery as docs/runbook.md describes it: a release in enforce loses it, and the commands of the page are typed. One
 * test after another: each begins with what the one before left.
 */

const VALUES = { mode: 'enforce', minReadySeconds: 1, config: { limits: { drain: '1s' } } };
const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/sailmark-certificates`;
const REGISTRY_CA = `/api/v1/namespaces/${NAMESPACE}/configmaps/registry-ca`;
const RUNBOOK = 'docs/runbook.md';

interface Secret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

describe('a release in enforce', () => {
  let cluster: Cluster;
  let images: Images;
  let signed: string;
  let before: readonly string[];
  beforeAll(async () => {
    const bundle = bundleImage(new URL('../../../dist', import.meta.url).pathname);
    cluster = await startCluster({ image: () => bundle });
    images = await startShop(cluster);
    signed = cluster.publish('proxyv2', '1.24.2');
    before = await takeSettledInventory(cluster.api);
    await install();
  });
  afterAll(() => cluster?.stop());

  const install = async (): Promise<void> => {
    await helm(cluster, 'install', CHART, VALUES, '--wait', '--timeout', '90s');
    await untilOutcome(cluster, images.unsigned, 'refused');
  };
  /** Types a command of the page, with placeholders replaced. */
  const type = async (command: Command | undefined, placeholders: Readonly<Record<string, string>> = {}) => {
    const [program, ...argv] = (command ?? []).map((word) =>
      Object.entries(placeholders).reduce((text, [name, value]) => text.replace(name, value), word),
    );
    if (program === 'kubectl') return expect(await cluster.kubectl(...argv)).toMatchObject({ code: 0 });
    expect(program).toBe('helm');
    return cluster.helm(...argv);
  };
  const typeAll = async (heading: string): Promise<void> => {
    for (const command of commandsBelow(RUNBOOK, heading)) await type(command);
  };
  const expectItHolds = async (): Promise<void> => {
    await untilOutcome(cluster, images.unsigned, 'refused');
    await until('a signed image starts', async () => (await outcome(cluster, signed)) === 'starts');
  };
  const tried = (image: string): Promise<string> => tryPod(cluster, 'shop', 'probe', image);
  const fingerprints = async (): Promise<string> =>
    (await trustedBy(cluster)).map(({ fingerprint256 }) => fingerprint256).join();

  it('whose registry is lost starts what it verified before, and the rest only after the command for it', async () => {
    const [allow, end, ...others] = commandsBelow(RUNBOOK, 'The registry is lost');
    expect(others).toEqual([]);
    const unknown = cluster.publish('proxyv2', '1.24.3');
    expect(await tried(signed)).toBe('starts');
    await until('it is shared', async () => {
      const path = `/api/v1/namespaces/${NAMESPACE}/configmaps/sailmark-evidence-tags`;
      const { data = {} } = await cluster.api.get<{ readonly data?: object }>(path);
      return Object.keys(data).length > 0;
    });
    cluster.registry.fault = drop;
    expect(await tried(unknown)).toMatch(/registry-unavailable|image-not-pinned/);
    await type(allow);
    await cluster.kubelet.untilReady(2);
    await until('what is unknown starts', async () => (await tried(unknown)) === 'starts');
    expect(await tried(signed)).toBe('starts');
    cluster.registry.fault = undefined;
    await until('the registry is back', async () => (await tried(images.unsigned)) !== 'starts');
    await type(end);
    await cluster.kubelet.untilReady(2);
    await expectItHolds();
  });

  it('refuses a digest that is known to be bad after the command for it, though it is signed', async () => {
    const [revoke] = commandsBelow(RUNBOOK, 'A key is lost, compromised or rotated');
    const bad = imageIndex('proxyv2 1.24.0').digest;
    expect(await tried(images.signed)).toBe('starts');
    await type(revoke, { DIGEST: bad });
    await cluster.kubelet.untilReady(2);
    await until('it is refused', async () => (await tried(images.signed)).includes('(image-revoked)'));
    await expectItHolds();
  });

  it('has a new certificate after the command for it, and its Secret again after an upgrade', async () => {
    const [empty, again, ...others] = commandsBelow(RUNBOOK, 'The certificate is lost or expired');
    expect(others).toEqual([]);
    const [old, trusted] = [await cluster.api.get<Secret>(SECRET), await fingerprints()];
    await type(empty);
    await until('another CA', async () => (await fingerprints()) !== trusted, { seconds: 60 });
    await expectItHolds();
    await cluster.api.remove(SECRET);
    await expectItHolds();
    await type(again);
    await until('the Secret is filled', async () => {
      const { data = {} } = await cluster.api.get<Secret>(SECRET);
      return data['tls.crt'] !== undefined;
    });
    await expectItHolds();

    // An older backup of etcd: the Secret and the trusted CAs of before, and no evidence.
    await cluster.api.patch(SECRET, {
      data: { ...nothingOf(await cluster.api.get<Secret>(SECRET)), ...old.data },
    });
    const value = old.data?.['ca.crt'];
    for (const [path, count] of [
      [WEBHOOKS, await entriesOf(WEBHOOKS)],
      [PINNING, await entriesOf(PINNING)],
    ] as const)
      await cluster.api.patch(
        path,
        Array.from({ length: count }, (_, index) => ({
          op: 'replace',
          path: `/webhooks/${index}/clientConfig/caBundle`,
          value,
        })),
        'json',
      );
  });

  const nothingOf = ({ data = {} }: Secret) =>
    Object.fromEntries(Object.keys(data).map((key) => [key, null]));
  const entriesOf = async (path: string): Promise<number> =>
    (await cluster.api.get<{ readonly webhooks: readonly unknown[] }>(path)).webhooks.length;

  it('takes over what an older backup of etcd has, and is started anew by the commands', async () => {
    await until('it holds again', async () => (await tried(signed)) === 'starts', { seconds: 60 });
    await expectItHolds();
    const old = cluster.kubelet.pods().map(({ pod }) => pod.metadata.name);
    await typeAll('etcd was restored from a backup');
    const lives = await cluster.kubelet.untilReady(2);
    expect(lives.filter(({ pod }) => old.includes(pod.metadata.name))).toEqual([]);
    await expectItHolds();
  });

  it('of which every replica crashes refuses, is suspended, rolled back and in force again by the commands', async () => {
    const [suspend, rollback, resume, ...others] = commandsBelow(
      RUNBOOK,
      'Every replica crashes after an upgrade',
    );
    expect(others).toEqual([]);
    const replicaSets = `/apis/apps/v1/namespaces/${NAMESPACE}/replicasets`;
    const { items } = await cluster.api.get<{ readonly items: readonly KubernetesObject[] }>(replicaSets);
    const crashing = `upgrade sailmark ${CHART} -n ${NAMESPACE} --reset-then-reuse-values --set extraArgs={--no-such-flag}`;
    await cluster.helm(...crashing.split(' '));
    await until('a new replica crashes', async () =>
      cluster.kubelet.pods().some(({ restarts }) => restarts > 0),
    );
    await expectItHolds();
    for (const { metadata } of items) await cluster.api.remove(`${replicaSets}/${metadata.name}`);
    await untilOutcome(cluster, signed, 'no backend');
    expect(await outcome(cluster, images.unsigned)).toBe('no backend');
    await type(suspend);
    await untilOutcome(cluster, signed, 'starts');
    await type(rollback);
    await cluster.kubelet.untilReady(2);
    expect(await outcome(cluster, images.unsigned)).toBe('starts');
    await type(resume);
    await expectItHolds();
  });

  it('whose namespace was deleted keeps the cluster going but for Istio pods, and is installed again by the commands', async () => {
    const [free, again, ...rest] = commandsBelow(RUNBOOK, 'The namespace was deleted');
    const ca = await cluster.api.get<KubernetesObject>(REGISTRY_CA);
    const deleteNamespace = async (): Promise<void> => {
      const deleted = await cluster.kubectl('delete', 'namespace', NAMESPACE, '--timeout=90s');
      expect(deleted).toMatchObject({ code: 0 });
      await untilOutcome(cluster, signed, 'no backend');
      expect(await outcome(cluster, images.unsigned)).toBe('no backend');
      for (const namespace of ['kube-system', 'istio-system'])
        expect(await tryPod(cluster, namespace, 'probe', images.unsigned)).toBe('starts');
      expect(await tryPod(cluster, 'shop', 'probe', 'registry.example/shop:1', 'app')).toBe('starts');
      await type(free);
      await untilOutcome(cluster, images.unsigned, 'starts');
    };
    const createNamespace = async (): Promise<void> => {
      await cluster.createNamespace(NAMESPACE);
      await cluster.api.create({ ...ca, metadata: { name: 'registry-ca', namespace: NAMESPACE } });
    };
    await deleteNamespace();
    await createNamespace();
    const { config } = cluster.values as { readonly config: object };
    const values = { ...cluster.values, ...VALUES, config: { ...config, ...VALUES.config } };
    await type(again, { 'values.yaml': await cluster.writeValues(values) });
    await expectItHolds();

    await deleteNamespace();
    for (const command of rest) await type(command);
    await createNamespace();
    await until('nothing is left', async () => {
      expect(await takeInventory(cluster.api)).toEqual(before);
      return true;
    });
  });

  it('is uninstalled while it is down, with its history kept: Helm’s own Secrets are left, and nothing else', async () => {
    await install();
    await cluster.kubelet.cutPower();
    await cluster.helm('uninstall', 'sailmark', '-n', NAMESPACE, '--keep-history');
    await untilOutcome(cluster, images.unsigned, 'starts');
    expect(await outcome(cluster, signed)).toBe('starts');
    await cluster.kubelet.restorePower();
    await until('only the history is left', async () => {
      const left = (await takeInventory(cluster.api)).filter((one) => !before.includes(one));
      expect(left).toEqual([
        expect.stringMatching(/\/secrets sailmark\/sh\.helm\.release\.v1\.sailmark\.v1$/),
      ]);
      return true;
    });
    await cluster.helm('uninstall', 'sailmark', '-n', NAMESPACE);
    expect(await takeInventory(cluster.api)).toEqual(before);
  });
});
