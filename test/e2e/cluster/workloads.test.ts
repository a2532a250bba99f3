import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { RELEASES } from '../control-plane/programs.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, startCluster } from './cluster.ts';

/*
 * Whoever creates a workload is told what becomes of its pods, and is never held up for longer than the webhook's
 * timeout: on the oldest API server that the chart supports, the usual one and the newest.
 */

const TIMEOUT_SECONDS = 5;
const CAUSE = 'no signature was found (signature-missing)';

describe.each(RELEASES)('a workload in Kubernetes %s', (release) => {
  let cluster: Cluster;
  let unsigned: string;
  let signed: string;
  beforeAll(async () => {
    cluster = await startCluster({ release });
    signed = cluster.publish('proxyv2', '1.24.0');
    unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
    for (const namespace of ['shop', 'istio-system']) await cluster.createNamespace(namespace);
    await cluster.install({ mode: 'enforce' });
    await until('a warning', async () => (await kubectlCreate('probe', unsigned, '--dry-run=server')) !== '');
  });
  afterAll(() => cluster?.stop());

  /** Runs `kubectl create deployment`. Resolves with what it prints on standard error. Rejects if it fails. */
  const kubectlCreate = async (name: string, image: string, ...flags: readonly string[]): Promise<string> => {
    const { code, stderr } = await cluster.kubectl(
      'create',
      'deployment',
      name,
      '--namespace',
      'shop',
      '--image',
      image,
      ...flags,
    );
    if (code !== 0) throw new Error(stderr);
    return stderr;
  };

  const labels = { app: 'web' };
  const template = (image: string) => ({
    metadata: { labels },
    spec: { restartPolicy: 'Always', containers: [{ name: 'istio-proxy', image }] },
  });
  const jobTemplate = (image: string) => ({
    spec: { template: { spec: { ...template(image).spec, restartPolicy: 'Never' } } },
  });
  const workload = (
    kind: string,
    image: string,
    { name = 'web', namespace = 'shop', ...metadata }: Readonly<Record<string, unknown>> = {},
  ): KubernetesObject => {
    const group = kind.endsWith('Job') ? 'batch' : 'apps';
    const specs: Readonly<Record<string, object>> = {
      Job: jobTemplate(image).spec,
      CronJob: { schedule: '@yearly', jobTemplate: jobTemplate(image) },
      StatefulSet: { serviceName: 'web', selector: { matchLabels: labels }, template: template(image) },
    };
    const spec = specs[kind] ?? { selector: { matchLabels: labels }, template: template(image) };
    return {
      apiVersion: `${group}/v1`,
      kind,
      metadata: { name, namespace, ...metadata },
      spec,
    } as KubernetesObject;
  };

  it('is created with a warning that its pods would be refused: `kubectl create deployment` prints it', async () => {
    expect(await kubectlCreate('told', unsigned)).toBe(
      `Warning: sailmark: its pods would be refused: image "${unsigned}" in container "proxyv2" (spec.template.spec.containers[0].image): ${CAUSE}\n`,
    );
    expect(await kubectlCreate('quiet', signed)).toBe('');
    expect(await kubectlCreate('other', 'nginx')).toBe('');
  });

  it.each(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'])('of this kind: %s', async (kind) => {
    const tried = async (image: string, metadata: object = {}) => {
      const object = workload(kind, image, { ...metadata });
      const { status, warnings } = await cluster.api.tryCreate(object, '?dryRun=All');
      return { status, warnings };
    };
    const warnings = [expect.stringContaining(CAUSE) as string];
    expect(await tried(unsigned)).toEqual({ status: 201, warnings });
    expect(await tried(unsigned, { namespace: 'istio-system' })).toEqual({ status: 201, warnings });
    expect(await tried(signed)).toEqual({ status: 201, warnings: [] });
    const owner = { apiVersion: 'v1', kind: 'Thing', name: 'a', uid: 'u', controller: true };
    expect(await tried(unsigned, { ownerReferences: [owner] })).toEqual({ status: 201, warnings: [] });
  });

  it('is updated with a warning for what is new alone', async () => {
    await cluster.api.create(workload('Deployment', unsigned, { name: 'updated' }));
    const argv = ['--namespace', 'shop', 'deployment/updated'];
    const scaled = await cluster.kubectl('scale', '--replicas=0', ...argv);
    expect([scaled.code, scaled.stderr]).toEqual([0, '']);
    const annotated = await cluster.kubectl('annotate', ...argv, 'a=b');
    expect([annotated.code, annotated.stderr]).toEqual([0, '']);
    const file = `istio-proxy=${signed}`;
    const set = await cluster.kubectl('set', 'image', ...argv, file);
    expect([set.code, set.stderr]).toEqual([0, '']);
    const back = await cluster.kubectl('set', 'image', ...argv, `istio-proxy=${unsigned}`);
    expect([back.code, back.stderr]).toEqual([0, expect.stringContaining(CAUSE)]);
  });

  it('is created without a replica too, after the timeout at the latest', async () => {
    await cluster.kubelet.cutPower();
    const start = performance.now();
    expect(await kubectlCreate('alone', unsigned)).toBe('');
    const seconds = (performance.now() - start) / 1000;
    // The API server's timeout, and what kubectl and a busy machine need.
    expect(seconds).toBeLessThan(TIMEOUT_SECONDS + 10);
    expect(await kubectlCreate('ordinary', 'nginx')).toBe('');
  });
});
