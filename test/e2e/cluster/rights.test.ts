import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from '../../support/registry-server.ts';
import { imageIndex, push, pushSignatures, sign } from '../../support/signing-kit.ts';
import { createTls } from '../../support/tls.ts';
import { HOST } from '../control-plane/control-plane.ts';
import type { KubernetesObject, Secret } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { grantedRights, type Right, type Role, rightsRequestedSince, withdraw } from './rights.ts';

/*
 * The rules of the chart's roles, one verb at a time: all of them are used, and nothing else is requested. Without one
 * of them only what needs it stops, and reviews are still judged.
 */

const CLUSTER: Role = { name: 'sailmark' };
const OWN: Role = { name: 'sailmark', namespace: NAMESPACE };
const EVIDENCE: Role = { name: 'sailmark-evidence', namespace: NAMESPACE };
const TEAM: Role = { name: 'sailmark-pull-secrets', namespace: 'team' };

const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/sailmark';
const PINNING = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/zz-sailmark';
const CERTIFICATES = `/api/v1/namespaces/${NAMESPACE}/secrets/sailmark-certificates`;
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
/** Images enough that some of them belong to each ConfigMap. */
const SHARED_IMAGES = 24;
const EVENTS = '/apis/events.k8s.io/v1/namespaces/shop/events';
const ACCOUNT = { username: 'team', password: 'of the registry' };

/** A feature for which the webhook needs rights. */
interface Ability {
  /** Triggers the feature. */
  trigger(): Promise<void>;
  /** Reports whether what was triggered last is done. */
  isDone(): Promise<boolean>;
}

interface Event {
  readonly regarding: { readonly name: string };
  readonly series?: { readonly count: number };
}

describe('the rights that the chart gives', () => {
  let cluster: Cluster;
  let team: TestRegistry;
  let signed: string;
  let unsigned: string;
  let behindSecret: string;

  const pod = (namespace: string, name: string, image: string, metadata: object = {}): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ...metadata },
    spec: { containers: [{ name: 'istio-proxy', image }] },
  });
  /** Tries to use an image in an enforced namespace. Resolves with `starts`, or with the refusal. */
  const judge = async (image: string): Promise<string> => {
    const { status, body } = await cluster.api.tryCreate(pod('strict', 'judged', image), '?dryRun=All');
    return status === 201 ? 'starts' : (body as { readonly message: string }).message;
  };
  const expectJudged = async (): Promise<void> => {
    expect(await judge(signed)).toBe('starts');
    expect(await judge(unsigned)).toContain('no signature was found (signature-missing)');
  };
  /** Stops all replicas as a rollout does, and waits for new ones. */
  const restart = async (): Promise<void> => {
    const before = cluster.kubelet.pods();
    for (const { pod: old } of before)
      await cluster.api.remove(`/api/v1/namespaces/${NAMESPACE}/pods/${old.metadata.name}`, {
        gracePeriodSeconds: 30,
      });
    await Promise.all(before.map(({ gone }) => gone));
    await cluster.kubelet.untilReady(2);
    await until('a review is answered', async () => (await judge(unsigned)).includes('signature-missing'));
  };
  let made = 0;
  const next = (name: string): string => {
    made += 1;
    return `${name}-${made}`;
  };
  const eventsOn = async (name: string): Promise<readonly Event[]> => {
    const { items } = await cluster.api.get<{ readonly items: readonly Event[] }>(EVENTS);
    return items.filter(({ regarding }) => regarding.name === name);
  };
  const caBundles = async (path = WEBHOOKS): Promise<readonly string[]> => {
    const { webhooks } = await cluster.api.get<{
      readonly webhooks: readonly { readonly clientConfig: { readonly caBundle: string } }[];
    }>(path);
    return webhooks.map(({ clientConfig }) => clientConfig.caBundle);
  };

  interface Webhooks {
    readonly webhooks: readonly { readonly name: string; readonly rules?: readonly unknown[] }[];
  }

  interface ConfigMapList {
    readonly items: readonly { readonly data?: Readonly<Record<string, string>> }[];
  }
  /** The ConfigMaps of evidence that hold something. */
  const filledConfigMaps = async () => {
    const { items } = await cluster.api.get<ConfigMapList>(
      `${CONFIG_MAPS}?labelSelector=app.kubernetes.io/name=sailmark`,
    );
    return items.flatMap(({ data = {} }) => (Object.keys(data).length === 0 ? [] : [data]));
  };

  let regarded = '';
  let shared = '';
  const abilities: Readonly<Record<string, Ability>> = {
    'the certificate is mended': {
      trigger: async () => void (await cluster.api.patch(CERTIFICATES, { data: { 'tls.crt': null } })),
      async isDone() {
        const { data } = await cluster.api.get<Secret>(CERTIFICATES);
        const text = Buffer.from(data?.['tls.crt'] ?? '', 'base64');
        return text.length > 0 && new X509Certificate(text).subjectAltName !== undefined;
      },
    },
    'the caBundle is mended': {
      async trigger() {
        const value = Buffer.from(cluster.ca).toString('base64');
        // The entry that matches no namespace here.
        const path = '/webhooks/2/clientConfig/caBundle';
        await cluster.api.patch(WEBHOOKS, [{ op: 'replace', path, value }], 'json');
      },
      isDone: async () => new Set(await caBundles()).size === 1,
    },
    'what can refuse is put in force again': {
      async trigger() {
        const { webhooks } = await cluster.api.get<Webhooks>(WEBHOOKS);
        // The entry that matches no namespace of this test.
        const entries = webhooks.flatMap(({ rules, name }, index) =>
          name.startsWith('critical.') && rules !== undefined ? [index] : [],
        );
        const changes = entries.map((index) => ({ op: 'remove', path: `/webhooks/${index}/rules` }));
        await cluster.api.patch(WEBHOOKS, changes, 'json');
      },
      async isDone() {
        const { webhooks } = await cluster.api.get<Webhooks>(WEBHOOKS);
        return webhooks.every(({ rules = [] }) => rules.length > 0);
      },
    },
    'the caBundle of the mutating webhook is mended': {
      async trigger() {
        const value = Buffer.from(cluster.ca).toString('base64');
        // The entry that matches no namespace here.
        const path = '/webhooks/0/clientConfig/caBundle';
        await cluster.api.patch(PINNING, [{ op: 'replace', path, value }], 'json');
      },
      isDone: async () => new Set(await caBundles(PINNING)).size === 1,
    },
    'a replica that starts learns what runs': {
      trigger: restart,
      isDone: async () =>
        cluster.kubelet
          .pods()
          .every((life) => /"verified":[1-9]\d*,.*warmed up with the images/.test(life.logs())),
    },
    'an Event tells of what was admitted': {
      async trigger() {
        regarded = next('admitted');
        await cluster.api.create(pod('shop', regarded, unsigned));
      },
      isDone: async () => (await eventsOn(regarded)).length > 0,
    },
    'an Event counts what it tells of': {
      async trigger() {
        regarded = next('owner');
        const owner = {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: regarded,
          uid: regarded,
          controller: true,
        };
        // With two replicas, at least one of them gets two.
        for (let count = 0; count < 3; count += 1)
          await cluster.api.create(pod('shop', next('owned'), unsigned, { ownerReferences: [owner] }));
        await until('an Event', async () => (await eventsOn(regarded)).length > 0);
        await restart();
      },
      isDone: async () => (await eventsOn(regarded)).some(({ series }) => (series?.count ?? 1) > 1),
    },
    'what is verified is shared': {
      async trigger() {
        await restart();
        for (let count = 0; count < SHARED_IMAGES; count += 1) {
          shared = next('1.24.2');
          await judge(cluster.publish('proxyv2', shared));
        }
      },
      async isDone() {
        const filled = await filledConfigMaps();
        return (
          filled.length === 5 && filled.some((data) => Object.values(data).join('').includes(`"${shared}"`))
        );
      },
    },
    'an image behind a pull secret is verified': {
      trigger: async () => {
        await restart();
        await judge(behindSecret);
      },
      isDone: async () => (await judge(behindSecret)) === 'starts',
    },
  };

  beforeAll(async () => {
    cluster = await startCluster();
    const { api } = cluster;
    signed = cluster.publish('proxyv2', '1.24.0');
    unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
    await cluster.createNamespace('strict', { 'sailmark.dev/mode': 'enforce' });
    for (const namespace of ['shop', 'team']) await cluster.createNamespace(namespace);

    const tls = createTls([HOST]);
    team = await startRegistry({ address: HOST, tls, auth: { kind: 'basic', account: ACCOUNT } });
    const digest = push(team, 'istio/pilot', imageIndex('pilot'), '1.24.0');
    pushSignatures(team, 'istio/pilot', digest, [sign(cluster.signer, 'docker.io/istio/pilot', digest)]);
    behindSecret = `${team.host}/istio/pilot:1.24.0`;
    const auths = { [team.host]: ACCOUNT };
    await api.create({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      metadata: { name: 'pull', namespace: 'team' },
      stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
    });
    const metadata = { name: 'team-ca', namespace: NAMESPACE };
    await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.pem': tls.ca } });
    await api.create(pod('shop', 'runs', signed));

    const { registries } = (cluster.values as { readonly config: { readonly registries: readonly object[] } })
      .config;
    const own = {
      host: team.host,
      caFile: '/etc/sailmark/team/ca.pem',
      credentials: { pullSecrets: ['team/pull'] },
    };
    await cluster.install({
      config: {
        mirrors: [{ mirror: `${team.host}/istio`, of: 'docker.io/istio' }],
        registries: [...registries, own],
        limits: { drain: '1s' },
      },
      files: { team: { configMap: { name: 'team-ca' } } },
      certificates: { self: { lifetime: '10m', overlap: '2s' } },
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    await team?.close();
  });

  it('are enough: with exactly the chart’s rules everything works, all of them are used, and nothing else is asked for', async () => {
    for (const [what, { trigger, isDone }] of Object.entries(abilities)) {
      await trigger();
      await until(what, isDone);
    }
    await expectJudged();
    const { allowed, forbidden } = await rightsRequestedSince(cluster, 0);
    expect(forbidden).toEqual(new Set());
    expect(allowed).toEqual(await grantedRights(cluster, [CLUSTER, OWN, EVIDENCE, TEAM]));
  });

  const needs: readonly (readonly [Right, ability: string])[] = [
    [{ ...OWN, verb: 'get', resource: 'secrets' }, 'the certificate is mended'],
    [{ ...OWN, verb: 'update', resource: 'secrets' }, 'the certificate is mended'],
    [{ ...CLUSTER, verb: 'get', resource: 'validatingwebhookconfigurations' }, 'the caBundle is mended'],
    [{ ...CLUSTER, verb: 'patch', resource: 'validatingwebhookconfigurations' }, 'the caBundle is mended'],
    [
      { ...CLUSTER, verb: 'patch', resource: 'validatingwebhookconfigurations' },
      'what can refuse is put in force again',
    ],
    [
      { ...CLUSTER, verb: 'get', resource: 'mutatingwebhookconfigurations' },
      'the caBundle of the mutating webhook is mended',
    ],
    [
      { ...CLUSTER, verb: 'patch', resource: 'mutatingwebhookconfigurations' },
      'the caBundle of the mutating webhook is mended',
    ],
    [{ ...CLUSTER, verb: 'list', resource: 'pods' }, 'a replica that starts learns what runs'],
    [{ ...CLUSTER, verb: 'create', resource: 'events' }, 'an Event tells of what was admitted'],
    [{ ...CLUSTER, verb: 'patch', resource: 'events' }, 'an Event counts what it tells of'],
    [{ ...EVIDENCE, verb: 'get', resource: 'configmaps' }, 'what is verified is shared'],
    [{ ...EVIDENCE, verb: 'patch', resource: 'configmaps' }, 'what is verified is shared'],
    [{ ...TEAM, verb: 'get', resource: 'secrets' }, 'an image behind a pull secret is verified'],
  ];
  const titled = needs.map(([right, what]) => {
    const { verb, resource, namespace } = right;
    const where = namespace === 'team' ? ' of a listed namespace' : '';
    return [`without ${verb} on ${resource}${where}, it is no longer so that ${what}`, right, what] as const;
  });
  it.each(titled)('are needed: %s, and with it, it is again', async (_, right, what) => {
    const ability = abilities[what];
    if (ability === undefined) throw new Error(`nothing is known of: ${what}`);
    const putBack = await withdraw(cluster, right);
    const { count } = await rightsRequestedSince(cluster, 0);
    await ability.trigger();
    const { forbidden } = await until(`${right.verb} on ${right.resource} is refused`, async () => {
      const asked = await rightsRequestedSince(cluster, count);
      return asked.forbidden.size > 0 && asked;
    });
    const refused = new RegExp(`^${right.verb} ${right.resource}(?:/|$)`);
    expect([...forbidden].filter((request) => !refused.test(request))).toEqual([]);
    expect(await ability.isDone()).toBe(false);
    await expectJudged();
    await putBack();
    await ability.trigger();
    await until(what, ability.isDone);
  });
});
