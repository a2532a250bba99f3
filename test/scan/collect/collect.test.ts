import { describe, expect, it } from 'vitest';
import {
  type CollectedObject,
  type CollectProgress,
  collect,
  createCoverage,
  readServed,
} from '../../../src/scan/collect/index.ts';
import { startAndConnect, testDeadline } from '../../kubernetes/connected-cluster.ts';
import { hang, type Json, refuse, type TestCluster } from '../../support/cluster-server.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/shop/deployments';
const REPLICA_SETS = '/apis/apps/v1/namespaces/shop/replicasets';
const CRON_JOBS = '/apis/batch/v1/namespaces/shop/cronjobs';
const JOBS = '/apis/batch/v1/namespaces/shop/jobs';
const PODS = '/api/v1/namespaces/shop/pods';
const ROLLOUTS = '/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts';

interface Owned {
  readonly kind?: string;
  readonly by?: Json;
  readonly spec?: Json;
  readonly status?: Json;
}

/** A reference to a controller with the uid of its name. */
const controller = (kind: string, name: string, more: Json = {}): Json => ({
  apiVersion: 'apps/v1',
  kind,
  name,
  uid: `uid-of-${name}`,
  controller: true,
  ...more,
});

const put = (server: TestCluster, folder: string, name: string, { by, ...object }: Owned = {}): void =>
  server.put(`${folder}/${name}`, {
    ...object,
    metadata: { uid: `uid-of-${name}`, ...(by === undefined ? {} : { ownerReferences: [by] }) },
  });

const start = async (requestTimeout = 20_000) => {
  const { server, cluster } = await startAndConnect({ requestTimeout });
  const coverage = createCoverage();
  const progress: CollectProgress[] = [];
  const run = async (
    namespaces?: readonly string[],
    signal = testDeadline(),
  ): Promise<readonly CollectedObject[]> => {
    const served = await readServed(cluster, coverage, signal);
    const found: CollectedObject[] = [];
    const onProgress = (event: CollectProgress) => void progress.push(event);
    for await (const one of collect({ cluster, coverage, served, namespaces, onProgress, signal }))
      found.push(one);
    return found;
  };
  return { server, coverage, progress, run };
};

const summary = (found: readonly CollectedObject[]): readonly string[] =>
  found.map(({ plural, name, owner }) => `${plural}/${name} of ${owner.kind}/${owner.name}`);

describe('what the account may not see', () => {
  it('is said with the right that is missing, and everything else is read', async () => {
    const { server, coverage, run } = await start();
    put(server, DEPLOYMENTS, 'web');
    put(server, PODS, 'debug');
    server.fault = (request, response) =>
      request.path.endsWith('/deployments') && refuse(403, 'deployments is forbidden')(request, response);
    expect(summary(await run())).toEqual(['pods/debug of Pod/debug']);
    expect(coverage.result().notSeen).toEqual([
      {
        resource: 'deployments.apps',
        why: 'GET deployments: the API server forbids it; it requires a ClusterRole with the rule {apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]} (deployments is forbidden)',
        remedy:
          'Let the account have a ClusterRole with the rule {apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]}, or name the namespaces that it may see with --namespace',
      },
    ]);
    expect(coverage.result().resources.map(({ resource }) => resource)).not.toContain('deployments.apps');
  });

  it('is not asked for outside the namespaces that are named', async () => {
    const { server, coverage, run } = await start();
    put(server, PODS, 'here');
    server.put('/api/v1/namespaces/other/pods/there', { metadata: {} });
    server.fault = (request, response) =>
      request.path === '/api/v1/pods' && refuse(403, 'no')(request, response);
    expect(summary(await run(['shop']))).toEqual(['pods/here of Pod/here']);
    expect(coverage.result().notSeen).toEqual([]);
  });

  it('is bounded: two silent lists in a row, and no further one is waited for', async () => {
    const { server, coverage, run } = await start(1_000);
    server.fault = (request, response) => request.path !== '/apis' && hang(request, response);
    expect(await run()).toEqual([]);
    expect(server.requests.filter(({ path }) => path !== '/apis')).toHaveLength(2);
    const { notSeen } = coverage.result();
    expect(notSeen[0]?.why).toBe('GET deployments: the API server did not respond in time');
    expect(notSeen.at(-1)).toEqual({
      resource: 'pods',
      why: 'it was not read, because the API server had stopped responding',
      remedy: 'Repeat the scan once the API server responds',
    });
  });

  it('is every custom resource if the API server does not say which ones it serves', async () => {
    const { server, coverage, run } = await start();
    put(server, PODS, 'debug');
    put(server, ROLLOUTS, 'web', { kind: 'Rollout' });
    server.fault = (request, response) => request.path === '/apis' && refuse(403, 'no')(request, response);
    expect(summary(await run())).toEqual(['pods/debug of Pod/debug']);
    expect(coverage.result().notSeen).toMatchObject([
      { resource: 'custom resources', remedy: 'Bind the ClusterRole system:discovery to the account' },
    ]);
  });

  it('is everything if the credentials are not accepted', async () => {
    const { server, run } = await start();
    server.fault = refuse(401, 'Unauthorized');
    await expect(run()).rejects.toMatchObject({ status: 401 });
  });

  it('is no error when the signal ends: what was read is kept', async () => {
    const { server, coverage, run } = await start();
    put(server, DEPLOYMENTS, 'web');
    const interrupt = new AbortController();
    server.fault = (request) => {
      if (request.path.endsWith('/daemonsets')) interrupt.abort();
      return request.path.endsWith('/daemonsets');
    };
    expect(summary(await run(undefined, interrupt.signal))).toEqual(['deployments/web of Deployment/web']);
    expect(coverage.result().notSeen).toEqual([]);
  });
});

describe('owners', () => {
  it('are no objects of another namespace, however a pod refers to them', async () => {
    const { server, run } = await start();
    put(server, DEPLOYMENTS, 'web');
    server.put('/api/v1/namespaces/other/pods/sly', {
      metadata: { ownerReferences: [controller('Deployment', 'web')] },
    });
    const [, sly] = await run();
    expect(sly?.owner).toMatchObject({ namespace: 'other', kind: 'Deployment', name: 'web' });
  });

  it('hide no template: whoever creates one may name a controller', async () => {
    const { server, run } = await start();
    const by = controller('Deployment', 'web');
    put(server, DEPLOYMENTS, 'web');
    put(server, CRON_JOBS, 'sly', { by });
    put(server, DEPLOYMENTS, 'sly-0', { by, spec: { replicas: 0 } });
    put(server, DEPLOYMENTS, 'idle', { by: controller('MyApp', 'idle'), spec: { replicas: 0 } });
    put(server, REPLICA_SETS, 'idle-0', { by: controller('ConfigMap', 'idle'), spec: { replicas: 0 } });
    const found = (await run()).map(({ plural, name }) => `${plural}/${name}`);
    expect(found.toSorted()).toEqual([
      'cronjobs/sly',
      'deployments/idle',
      'deployments/sly-0',
      'deployments/web',
      'replicasets/idle-0',
    ]);
  });

  it('are none of the cluster for an object of a namespace', async () => {
    const { server, run } = await start();
    const folder = '/apis/apps.kruise.io/v1alpha1/sidecarsets';
    server.put(`${folder}/all`, { kind: 'SidecarSet', metadata: { uid: 'uid-of-all' } });
    put(server, PODS, 'sly', { by: controller('SidecarSet', 'all') });
    expect((await run()).at(-1)?.owner).toMatchObject({ namespace: 'shop', kind: 'SidecarSet' });
  });

  it('survive references that are none', async () => {
    const { server, run } = await start();
    for (const [index, references] of [null, 7, [null], [{ controller: true }], 'x'].entries())
      server.put(`${PODS}/pod-${index}`, { metadata: { ownerReferences: references } });
    expect(await run()).toHaveLength(5);
  });

  it('are the outermost controllers, also of the templates that they control', async () => {
    const { server, run } = await start();
    put(server, DEPLOYMENTS, 'web');
    put(server, REPLICA_SETS, 'web-1', { by: controller('Deployment', 'web') });
    put(server, PODS, 'web-1-a', { by: controller('ReplicaSet', 'web-1') });
    put(server, CRON_JOBS, 'nightly');
    put(server, JOBS, 'nightly-1', { by: controller('CronJob', 'nightly') });
    put(server, PODS, 'nightly-1-a', { by: controller('Job', 'nightly-1') });
    put(server, REPLICA_SETS, 'alone');
    put(server, PODS, 'alone-a', { by: controller('ReplicaSet', 'alone') });
    put(server, PODS, 'debug');
    expect(summary(await run())).toEqual([
      'deployments/web of Deployment/web',
      'replicasets/web-1 of Deployment/web',
      'replicasets/alone of ReplicaSet/alone',
      'cronjobs/nightly of CronJob/nightly',
      'jobs/nightly-1 of CronJob/nightly',
      'pods/web-1-a of Deployment/web',
      'pods/nightly-1-a of CronJob/nightly',
      'pods/alone-a of ReplicaSet/alone',
      'pods/debug of Pod/debug',
    ]);
  });

  it('are named as the reference names them if they are of no kind that is read', async () => {
    const { server, run } = await start();
    const by = controller('Prometheus', 'main', { apiVersion: 'monitoring.coreos.com/v1' });
    put(server, PODS, 'main-0', { by });
    put(server, PODS, 'static', { by: controller('Node', 'node-1') });
    expect((await run()).map(({ owner }) => owner)).toEqual([
      {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'Prometheus',
        namespace: 'shop',
        name: 'main',
        uid: 'uid-of-main',
      },
      { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'static', uid: 'uid-of-static' },
    ]);
  });

  it('are custom resources where the API server serves them', async () => {
    const { server, run } = await start();
    put(server, ROLLOUTS, 'web', { kind: 'Rollout' });
    put(server, REPLICA_SETS, 'web-1', { by: controller('Rollout', 'web') });
    put(server, PODS, 'web-1-a', { by: controller('ReplicaSet', 'web-1') });
    const found = await run();
    expect(summary(found)).toEqual([
      'rollouts/web of Rollout/web',
      'replicasets/web-1 of Rollout/web',
      'pods/web-1-a of Rollout/web',
    ]);
    expect(found[0]?.object).toMatchObject({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' });
  });
});

describe('objects', () => {
  it('are left out once no pod is made from them any more', async () => {
    const { server, run } = await start();
    const ended = { conditions: [{ type: 'Complete', status: 'True' }] };
    put(server, JOBS, 'done', { status: ended });
    put(server, JOBS, 'running', { status: { conditions: [{ type: 'Suspended', status: 'True' }] } });
    put(server, REPLICA_SETS, 'old', { by: controller('Deployment', 'web'), spec: { replicas: 0 } });
    put(server, REPLICA_SETS, 'new', { by: controller('Deployment', 'web'), spec: { replicas: 1 } });
    put(server, REPLICA_SETS, 'paused', { spec: { replicas: 0 } });
    put(server, PODS, 'dead', { status: { phase: 'Failed' } });
    put(server, PODS, 'waits', { status: { phase: 'Pending' } });
    expect(summary(await run())).toEqual([
      'replicasets/new of Deployment/web',
      'replicasets/paused of ReplicaSet/paused',
      'jobs/running of Job/running',
      'pods/waits of Pod/waits',
    ]);
  });

  it('never are Secrets, and take one request for each 500 of a kind', async () => {
    const { server, coverage, progress, run } = await start();
    for (let count = 0; count < 1_001; count += 1) put(server, DEPLOYMENTS, `web-${count}`);
    for (let count = 0; count < 501; count += 1) put(server, PODS, `pod-${count}`);
    expect(await run()).toHaveLength(1_502);
    const read = new Map(coverage.result().resources.map((entry) => [entry.resource, entry]));
    expect(read.get('deployments.apps')).toMatchObject({ objects: 1_001, requests: 3 });
    expect(read.get('pods')).toMatchObject({ objects: 501, requests: 2 });
    expect(read.get('jobs.batch')).toMatchObject({ objects: 0, requests: 1 });
    expect(server.requests.filter(({ path }) => path.includes('secrets'))).toEqual([]);
    expect(progress.filter(({ resource }) => resource === 'deployments.apps')).toEqual([
      { resource: 'deployments.apps', done: 500, total: 1_001 },
      { resource: 'deployments.apps', done: 1_000, total: 1_001 },
      { resource: 'deployments.apps', done: 1_001, total: 1_001 },
    ]);
  });
});
