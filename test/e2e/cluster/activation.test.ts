import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTls, type Tls } from '../../support/tls.ts';
import { bundleImage } from '../control-plane/kubelet/container.ts';
import { until } from '../control-plane/until.ts';
import {
  APPLIES,
  asCreated,
  outcome,
  PINNING,
  renderedManifest,
  startProbes,
  startSelfHeal,
  untilOutcome,
  WEBHOOKS,
} from './activation.ts';
import { CHART, type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { emergencyCommands } from './emergency.ts';
import { takeInventory, takeSettledInventory } from './inventory.ts';
import { helm, type Images, startShop, tryPod, uninstall } from './lifecycle.ts';

/*
 * When a release refuses pods: once a replica has been ready and not before, and from then on whatever becomes of its pods,
 * its upgrades and the manifests that are applied.
 */

const ENFORCE = { mode: 'enforce', minReadySeconds: 1 };
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/sailmark`;

let cluster: Cluster;
let images: Images;
let before: readonly string[];
beforeAll(async () => {
  const bundle = bundleImage(new URL('../../../dist', import.meta.url).pathname);
  cluster = await startCluster({
    image: (reference) => (reference.endsWith(':missing') ? undefined : bundle),
  });
  images = await startShop(cluster);
  before = await takeSettledInventory(cluster.api);
});
afterAll(() => cluster?.stop());

/** A policy of somebody else that refuses the release's Deployment, as image policies and quotas do. */
const POLICY = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/no-deployments';
const BINDING = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/no-deployments';
const refuseDeployments = async (): Promise<void> => {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name: 'no-deployments' };
  await cluster.api.create({
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['deployments'],
          },
        ],
      },
      validations: [{ expression: 'false', message: 'no deployments today' }],
    },
  });
  await cluster.api.create({
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: 'no-deployments', validationActions: ['Deny'] },
  });
  const dryRun = { metadata: { annotations: { probe: `${Date.now()}` } } };
  await until('the policy refuses', async () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'probe', namespace: 'shop', ...dryRun.metadata },
      spec: {
        selector: { matchLabels: { app: 'probe' } },
        template: {
          metadata: { labels: { app: 'probe' } },
          spec: { containers: [{ name: 'a', image: 'a' }] },
        },
      },
    };
    const { status } = await cluster.api.tryCreate(deployment, '?dryRun=All');
    return status >= 400;
  });
};
const allowDeployments = async (): Promise<void> => {
  await cluster.api.remove(BINDING);
  await cluster.api.remove(POLICY);
};

const exists = async (): Promise<boolean> => (await cluster.api.find(WEBHOOKS)) !== undefined;
const untilNoPodIsLeft = () =>
  until('no pod is left', async () => cluster.kubelet.pods().length === 0, { seconds: 90 });
const untilNothingIsLeft = () =>
  until('nothing is left', async () => {
    expect(await takeInventory(cluster.api)).toEqual(before);
    return true;
  });
/** Tries pods of every kind of namespace a few hundred times. */
const expectEverythingStarts = async (): Promise<void> => {
  const probes = startProbes(cluster, images.unsigned);
  for (const namespace of ['istio-system', 'kube-system', NAMESPACE, 'shop'])
    for (const image of [images.signed, images.unsigned])
      expect(await tryPod(cluster, namespace, 'tried', image)).toBe('starts');
  expect((await probes.stop()).seen).toEqual(['starts']);
};

/** Creates a Secret with a certificate and its key. */
const createSecret = async (name: string, { cert, key }: Tls): Promise<void> => {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  await cluster.api.create({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace: NAMESPACE },
    data: { 'tls.crt': encode(cert), 'tls.key': encode(key) },
  });
};

describe('a release in mode enforce', () => {
  it('whose Deployment is refused by a policy refuses nothing, and leaves nothing behind', async () => {
    await refuseDeployments();
    await expect(helm(cluster, 'install', CHART, ENFORCE)).rejects.toThrow('no deployments today');
    expect(await exists()).toBe(true);
    await expectEverythingStarts();
    await allowDeployments();
    await uninstall(cluster);
    await untilNothingIsLeft();
  });

  it('whose image cannot be pulled refuses nothing until an upgrade brings a ready replica', async () => {
    await helm(cluster, 'install', CHART, { ...ENFORCE, image: { tag: 'missing' } });
    await until('the pods are there', async () => cluster.kubelet.pods().length === 2);
    expect(await exists()).toBe(true);
    await expectEverythingStarts();
    const [unsigned, signed] = [startProbes(cluster, images.unsigned), startProbes(cluster, images.signed)];
    await helm(cluster, 'upgrade', CHART, ENFORCE, '--wait', '--timeout', '90s');
    await untilOutcome(cluster, images.unsigned, 'refused');
    const { seen } = await unsigned.stop();
    const { seen: seenSigned } = await signed.stop();
    console.log(`until it was in force: unsigned ${seen.join(', ')}; signed ${seenSigned.join(', ')}`);
    // Once it refuses, it goes on.
    expect([seen[0], seen.at(-1), seen.filter((one) => one === 'starts')]).toEqual([
      'starts',
      'refused',
      ['starts'],
    ]);
  });

  it('goes on refusing while an upgrade fails, because its image cannot be pulled or its Deployment is refused', async () => {
    const probes = startProbes(cluster, images.unsigned);
    await expect(
      helm(cluster, 'upgrade', CHART, { ...ENFORCE, image: { tag: 'missing' } }, '--wait', '--timeout', '8s'),
    ).rejects.toThrow('8s');
    await refuseDeployments();
    await expect(helm(cluster, 'upgrade', CHART, { ...ENFORCE, replicas: 3 })).rejects.toThrow(
      'no deployments today',
    );
    await allowDeployments();
    expect((await probes.stop()).seen).toEqual(['refused']);
    expect(await outcome(cluster, images.signed)).toBe('starts');
  });

  it('goes on refusing through an upgrade, a rollback, and another mode and back', async () => {
    const probes = startProbes(cluster, images.unsigned);
    await helm(cluster, 'upgrade', CHART, ENFORCE, '--wait', '--timeout', '90s');
    await cluster.helm('rollback', 'sailmark', '2', '--namespace', NAMESPACE, '--wait', '--timeout', '90s');
    expect((await probes.stop()).seen).toEqual(['refused']);
    await helm(cluster, 'upgrade', CHART, { ...ENFORCE, mode: 'audit' }, '--wait', '--timeout', '90s');
    await untilOutcome(cluster, images.unsigned, 'starts');
    await helm(cluster, 'upgrade', CHART, ENFORCE, '--wait', '--timeout', '90s');
    await untilOutcome(cluster, images.unsigned, 'refused');
  });

  it('is no difference to its manifest, as GitOps controllers compare', async () => {
    const manifest = await renderedManifest(cluster);
    for (const { flags } of APPLIES) {
      const { code, stdout } = await cluster.kubectl('diff', ...flags, '--filename', manifest);
      expect([code, stdout]).toEqual([0, '']);
    }
  });

  it.each(APPLIES)(
    'goes on refusing while its manifest is applied every second: $name',
    async ({ flags }) => {
      const manifest = await renderedManifest(cluster);
      const probes = startProbes(cluster, images.unsigned);
      const healing = startSelfHeal(cluster, manifest, flags);
      await healing.untilApplied(5);
      await healing.stop();
      expect((await probes.stop()).seen).toEqual(['refused']);
    },
  );

  it('refuses again within two seconds where its webhook configuration was replaced as a whole, or deleted and created again', async () => {
    const measure = async (change: () => Promise<unknown>): Promise<number> => {
      await change();
      const changed = Date.now();
      await untilOutcome(cluster, images.unsigned, 'refused');
      return Date.now() - changed;
    };
    const replace = async () =>
      cluster.api.sendOrThrow('PUT', WEBHOOKS, { body: asCreated(await cluster.api.get(WEBHOOKS)) });
    const recreate = async () => {
      const created = asCreated(await cluster.api.get(WEBHOOKS));
      await cluster.api.remove(WEBHOOKS);
      await untilOutcome(cluster, images.unsigned, 'starts');
      const { resourceVersion: _, ...metadata } = created.metadata;
      await cluster.api.create({ ...created, metadata });
    };
    const times = [await measure(replace), await measure(recreate)];
    console.log(`refuses again ${times.join(' and ')} ms after it was replaced, or created again`);
    for (const time of times) expect(time).toBeLessThan(2000);
  });

  it.each(APPLIES)(
    'is suspended by the command of docs/emergency.md while its manifest is applied every second, and comes back by the other: $name',
    async ({ flags }) => {
      const [suspend = [], resume = []] = emergencyCommands;
      const healing = startSelfHeal(cluster, await renderedManifest(cluster), flags);
      await healing.untilApplied(1);
      expect(await cluster.kubectl(...suspend)).toMatchObject({ code: 0 });
      await untilOutcome(cluster, images.unsigned, 'starts');
      const probes = startProbes(cluster, images.unsigned);
      await healing.untilApplied(5);
      expect(await tryPod(cluster, 'istio-system', 'critical', images.unsigned)).toBe('starts');
      expect((await probes.stop()).seen).toEqual(['starts']);
      expect(await cluster.kubectl(...resume)).toMatchObject({ code: 0 });
      await untilOutcome(cluster, images.unsigned, 'refused');
      await healing.stop();
    },
  );

  it('goes on refusing without a backend, also where its Deployment is gone, and is suspended by the same command', async () => {
    await cluster.api.remove(DEPLOYMENT);
    await untilOutcome(cluster, images.unsigned, 'no backend');
    const probes = startProbes(cluster, images.unsigned);
    await untilNoPodIsLeft();
    expect((await probes.stop()).seen).toEqual(['no backend']);
    expect(await outcome(cluster, images.signed)).toBe('no backend');
    const [suspend = []] = emergencyCommands;
    expect(await cluster.kubectl(...suspend)).toMatchObject({ code: 0 });
    await untilOutcome(cluster, images.unsigned, 'starts');
  });

  it('is uninstalled, and then nothing is refused and nothing is left', async () => {
    await uninstall(cluster);
    await untilNothingIsLeft();
    expect(await exists()).toBe(false);
    await expectEverythingStarts();
  });
});

describe('a release with certificates of cert-manager', () => {
  /** A kind of cert-manager's, without its schema. */
  const kindOf = (kind: string, plural: string) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.cert-manager.io` },
    spec: {
      group: 'cert-manager.io',
      scope: 'Namespaced',
      names: { kind, plural },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });

  it('refuses nothing until the certificate is issued and its CA injected, and refuses then', async () => {
    await cluster.api.create(kindOf('Issuer', 'issuers'));
    await cluster.api.create(kindOf('Certificate', 'certificates'));
    await until('the kinds are served', async () => {
      const { status } = await cluster.api.send('GET', '/apis/cert-manager.io/v1/certificates');
      return status === 200;
    });
    await helm(cluster, 'install', CHART, { ...ENFORCE, certificates: { mode: 'cert-manager' } });
    await expectEverythingStarts();
    // The test is cert-manager: it issues, and then its injector writes the CA.
    const tls = createTls([`sailmark.${NAMESPACE}.svc`]);
    await createSecret('sailmark-cert-manager', tls);
    await cluster.kubelet.untilReady(2);
    await expectEverythingStarts();
    const value = Buffer.from(tls.ca).toString('base64');
    const inject = (path: string, entries: readonly number[]) =>
      cluster.api.patch(
        path,
        entries.map((index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value })),
        'json',
      );
    await inject(PINNING, [0, 1]);
    await inject(WEBHOOKS, [0, 1, 2, 3]);
    await untilOutcome(cluster, images.unsigned, 'refused');
    expect(await outcome(cluster, images.signed)).toBe('starts');
    await uninstall(cluster);
    await untilNoPodIsLeft();
  });
});

describe('a release with certificates that are provided', () => {
  const provided = (caBundle: string) => ({
    ...ENFORCE,
    certificates: { mode: 'provided', provided: { secret: 'serving', caBundle } },
  });
  let tls: Tls;
  beforeAll(async () => {
    tls = createTls([`sailmark.${NAMESPACE}.svc`]);
    await createSecret('serving', tls);
  });

  it('refuses nothing while the API server would not trust its certificate, and refuses once it does', async () => {
    await helm(
      cluster,
      'install',
      CHART,
      provided(createTls(['other.example']).ca),
      '--wait',
      '--timeout',
      '90s',
    );
    await until('the log says why', async () =>
      cluster.kubelet.pods().some((life) => life.logs().includes('would not trust the certificate')),
    );
    await expectEverythingStarts();
    await helm(cluster, 'upgrade', CHART, provided(tls.ca), '--wait', '--timeout', '90s');
    await untilOutcome(cluster, images.unsigned, 'refused');
    expect(await outcome(cluster, images.signed)).toBe('starts');
    await uninstall(cluster);
    await untilNoPodIsLeft();
  });

  it('without the permission to write its webhook configuration is not ready and says which one it is, and refuses nothing', async () => {
    await helm(cluster, 'install', CHART, { ...provided(tls.ca), rbac: { create: false } });
    await until('the log names the permission', async () =>
      cluster.kubelet
        .pods()
        .some((life) => /resources: \[\\?"validatingwebhookconfigurations\\?"\].*verbs/.test(life.logs())),
    );
    expect(cluster.kubelet.pods().filter(({ ready }) => ready)).toEqual([]);
    await expectEverythingStarts();
    await uninstall(cluster);
    await untilNoPodIsLeft();
  });

  it('without any permission refuses as soon as it is created, if webhook.activation is immediate', async () => {
    const values = { ...provided(tls.ca), webhook: { activation: 'immediate' }, rbac: { create: false } };
    const nothing = { kubernetes: { events: false, warmUp: '0s' }, evidence: { write: { kind: 'none' } } };
    await helm(cluster, 'install', CHART, { ...values, ...nothing });
    await untilOutcome(cluster, images.unsigned, 'no backend');
    const probes = startProbes(cluster, images.unsigned);
    await untilOutcome(cluster, images.unsigned, 'refused');
    expect((await probes.stop()).seen).toEqual(['no backend', 'refused']);
    await uninstall(cluster);
    await untilNoPodIsLeft();
  });
});
