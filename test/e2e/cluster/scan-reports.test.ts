import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { openReportsCrds, programOf } from '../control-plane/programs.ts';
import { until } from '../control-plane/until.ts';
import { runProgram } from '../tools.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { metricsOf } from './observations.ts';

/*
 * The scan that the chart runs in the cluster, with the rights that the chart gives it: reports of both API groups, Events, the
 * kept result, and the metrics that the webhook makes of it. One test after another: each begins with what the one before left.
 */

const ACCOUNT = `system:serviceaccount:${NAMESPACE}:sailmark-scan`;
const POLICY_REPORTS = '/apis/wgpolicyk8s.io/v1alpha2/namespaces/shop/policyreports';
const REPORTS = '/apis/openreports.io/v1alpha1/namespaces/shop/reports';
const EVENTS = '/apis/events.k8s.io/v1/namespaces/shop/events';
const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;

const text = { type: 'string' };
const integer = { type: 'integer' };
const object = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
});

/** The CRD of the older group, limited to what reports have: what it does not name is dropped by the API server. */
const POLICY_REPORT_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'policyreports.wgpolicyk8s.io',
    annotations: { 'api-approved.kubernetes.io': 'unapproved' },
  },
  spec: {
    group: 'wgpolicyk8s.io',
    names: {
      kind: 'PolicyReport',
      listKind: 'PolicyReportList',
      plural: 'policyreports',
      singular: 'policyreport',
    },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha2',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: object({
            scope: object({ apiVersion: text, kind: text, name: text, namespace: text, uid: text }),
            summary: object({ pass: integer, fail: integer, warn: integer, error: integer, skip: integer }),
            results: {
              type: 'array',
              items: object(
                {
                  policy: text,
                  rule: text,
                  source: text,
                  category: text,
                  message: text,
                  scored: { type: 'boolean' },
                  severity: { type: 'string', enum: ['critical', 'high', 'low', 'medium', 'info'] },
                  result: { type: 'string', enum: ['pass', 'fail', 'warn', 'error', 'skip'] },
                  timestamp: object({ seconds: integer, nanos: integer }, ['seconds', 'nanos']),
                  properties: { type: 'object', additionalProperties: text },
                },
                ['policy'],
              ),
            },
          }),
        },
      },
    ],
  },
};

interface Report {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly ownerReferences?: readonly { readonly name: string }[];
  };
  readonly scope?: { readonly kind: string; readonly name: string };
  readonly summary?: Readonly<Record<string, number>>;
  readonly results?: readonly { readonly rule: string; readonly result: string; readonly message: string }[];
}

interface Ended {
  /** 0: the Job succeeded. */
  readonly failed: number;
  readonly log: string;
  /** The account's writes, `VERB RESOURCE`, and what it was forbidden. */
  readonly writes: readonly string[];
  readonly forbidden: readonly string[];
}

describe('the scan in the cluster', () => {
  let cluster: Cluster;
  let unsigned: string;

  const deploy = (name: string, image: string): Promise<KubernetesObject> => {
    const labels = { app: name };
    const container = { name: 'istio-proxy', image };
    return cluster.api.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'shop' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    });
  };
  const untilPods = (name: string, count: number): Promise<unknown> =>
    until(`${count} pods of ${name}`, async () => {
      const { items } = await cluster.api.get<{ readonly items: readonly unknown[] }>(
        `/api/v1/namespaces/shop/pods?labelSelector=app=${name}`,
      );
      return items.length === count;
    });
  const install = async (crd: KubernetesObject, collection: string): Promise<void> => {
    await cluster.api.create(crd);
    await until(`${collection} is served`, async () => {
      const { status } = await cluster.api.send('GET', collection);
      return status === 200;
    });
  };

  const auditOfScan = async () => {
    const events = (await cluster.audit.all()).filter(({ user }) => user.username === ACCOUNT);
    return events.map(({ verb, objectRef, responseStatus }) => ({
      right: `${verb} ${objectRef?.resource ?? ''}`,
      code: responseStatus?.code ?? 0,
    }));
  };
  /** Runs the pod of the CronJob to its end, as `kubectl create job --from=cronjob/sailmark-scan` does. */
  const runJob = async (name: string): Promise<Ended> => {
    const before = (await auditOfScan()).length;
    const from = '--from=cronjob/sailmark-scan';
    expect(await cluster.kubectl('create', 'job', name, '-n', NAMESPACE, from)).toMatchObject({ code: 0 });
    const { status } = await until(
      `the Job ${name} ends`,
      async () => {
        const job = await cluster.api.get<{
          readonly status: { readonly succeeded?: number; readonly failed?: number };
        }>(`${JOBS}/${name}`);
        return (job.status.succeeded ?? 0) + (job.status.failed ?? 0) > 0 && job;
      },
      { seconds: 120 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${cluster.kubelet.describe()}`);
    });
    const pod = cluster.kubelet.pods().findLast((life) => life.pod.metadata.name.startsWith(`${name}-`));
    const audited = (await auditOfScan()).slice(before);
    return {
      failed: status.failed ?? 0,
      log: pod?.logs() ?? '',
      writes: audited.map(({ right }) => right).filter((right) => !/^(?:get|list) /.test(right)),
      forbidden: audited.filter(({ code }) => code === 403).map(({ right }) => right),
    };
  };
  const reportsAt = async (path: string): Promise<readonly Report[]> =>
    (await cluster.api.get<{ readonly items: readonly Report[] }>(path)).items;
  const metric = async (name: string, labels = ''): Promise<readonly number[]> => {
    const webhooks = cluster.kubelet
      .pods()
      .filter(({ pod }) => pod.metadata.labels?.['app.kubernetes.io/component'] === 'webhook');
    const replicas = await Promise.all(webhooks.map(metricsOf));
    return replicas.flatMap((samples) =>
      samples
        .filter((sample) => sample.name === name && (labels === '' || sample.labels['status'] === labels))
        .map(({ value }) => value),
    );
  };

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.createNamespace('shop');
    unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
    await cluster.install({ scan: { enabled: true, schedule: '0 0 1 1 *' } });
    await deploy('cart', unsigned);
    await deploy('checkout', cluster.publish('proxyv2', '1.24.0'));
    await Promise.all([untilPods('cart', 2), untilPods('checkout', 2)]);
  });
  afterAll(() => cluster?.stop());

  it('has no report where no API group of reports is installed, says so, and is forbidden nothing', async () => {
    const { failed, log, writes, forbidden } = await runJob('first');
    expect(log).toContain(
      'the cluster has neither openreports.io/v1alpha1 Report nor wgpolicyk8s.io/v1alpha2 PolicyReport',
    );
    expect(log).toContain('no Events: there is no earlier scan to compare with');
    expect(log).toContain('2 of ');
    expect({ failed, writes, forbidden }).toEqual({ failed: 0, writes: ['patch configmaps'], forbidden: [] });
  });

  it('writes PolicyReports where only those are installed', async () => {
    await install(POLICY_REPORT_CRD, POLICY_REPORTS);
    const { failed, log, forbidden } = await runJob('policy-reports');
    expect({ failed, forbidden, log }).toMatchObject({ failed: 0, forbidden: [] });
    const [report, ...others] = await reportsAt(POLICY_REPORTS);
    expect(others).toEqual([]);
    expect(report).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Deployment', name: 'cart' }] },
      scope: { kind: 'Deployment', name: 'cart' },
      summary: { pass: 0, fail: 1, warn: 0, error: 0, skip: 0 },
      results: [{ rule: 'signature-missing', result: 'fail' }],
    });
    expect(report?.results?.[0]?.message).toContain(unsigned);
  });

  it('writes nothing but the kept result if nothing has changed', async () => {
    const before = await reportsAt(POLICY_REPORTS);
    const { log, writes } = await runJob('unchanged');
    expect(log).toContain('wgpolicyk8s.io reports: 0 written, 0 deleted, 1 unchanged');
    expect(writes).toEqual(['patch configmaps']);
    expect(await reportsAt(POLICY_REPORTS)).toEqual(before);
  });

  it('moves to the Reports of OpenReports once they are installed, and leaves those of others alone', async () => {
    const crd = load(await readFile(join(openReportsCrds(), 'openreports.io_reports.yaml'), 'utf8'));
    await install(crd as KubernetesObject, REPORTS);
    const uid = (await cluster.api.get<Report>('/apis/apps/v1/namespaces/shop/deployments/cart')).metadata
      .uid;
    const stranger = {
      apiVersion: 'openreports.io/v1alpha1',
      kind: 'Report',
      results: [{ policy: 'theirs' }],
    };
    await cluster.api.create({ ...stranger, metadata: { name: 'theirs', namespace: 'shop' } });
    await cluster.api.create({ ...stranger, metadata: { name: `sailmark-${uid}`, namespace: 'shop' } });
    await deploy('worse', unsigned);
    await untilPods('worse', 2);
    const before = await reportsAt(REPORTS);
    const { failed, log } = await runJob('open-reports');
    expect({ failed, log }).toMatchObject({
      failed: 0,
      log: expect.stringContaining('1 report of others have the name of ours and stay as they are') as string,
    });
    const after = await reportsAt(REPORTS);
    expect(after).toEqual(expect.arrayContaining([...before]));
    expect(after).toHaveLength(3);
    expect(after.map(({ scope }) => scope?.name).filter(Boolean)).toEqual(['worse']);
    expect(await reportsAt(POLICY_REPORTS)).toEqual([]);
    for (const { metadata } of before) await cluster.api.remove(`${REPORTS}/${metadata.name}`);
    await runJob('freed');
    const names = (await reportsAt(REPORTS)).map(({ scope }) => scope?.name);
    expect(new Set(names)).toEqual(new Set(['cart', 'worse']));
  });

  it('told by an Event on it of the workload that was new, and of no other', async () => {
    interface Event {
      readonly reportingController: string;
      readonly regarding: { readonly kind: string; readonly name: string };
      readonly note: string;
    }
    const { items } = await cluster.api.get<{ readonly items: readonly Event[] }>(EVENTS);
    const ours = items.filter(({ reportingController }) => reportingController === 'sailmark.dev/scan');
    expect(ours).toMatchObject([
      {
        regarding: { kind: 'Deployment', name: 'worse' },
        reason: 'SignatureMissing',
        action: 'Scan',
        type: 'Warning',
        note: expect.stringContaining(unsigned) as string,
      },
    ]);
  });

  it('is counted by the metrics of every replica of the webhook', async () => {
    await until('both replicas have the counts of the last scan', async () => {
      const values = await metric('sailmark_scan_pods', 'refused');
      return values.join() === '4,4';
    });
    expect(await metric('sailmark_scan_images', 'refused')).toEqual([1, 1]);
    expect(await metric('sailmark_scan_images', 'verified')).toEqual([1, 1]);
    expect(await metric('sailmark_scan_owners_refused')).toEqual([2, 2]);
    expect(await metric('sailmark_scan_complete')).toEqual([1, 1]);
    expect(await metric('sailmark_scan_unseen_resources')).toEqual([0, 0]);
    const [at = 0] = await metric('sailmark_scan_last_success_timestamp_seconds');
    expect(Math.abs(Date.now() / 1000 - at)).toBeLessThan(300);
  });

  it('keeps a page, which the command of the documentation writes', async () => {
    const page = await readFile(new URL('../../../docs/scan.md', import.meta.url), 'utf8');
    const [, command = ''] = /^(kubectl get configmap sailmark-scan .*) > scan\.html$/m.exec(page) ?? [];
    expect(command).toMatch(/base64 -d \| gunzip$/);
    const env = {
      KUBECONFIG: cluster.kubeconfig,
      PATH: `${dirname(programOf('kubectl'))}:${process.env['PATH']}`,
    };
    const { code, stdout, stderr } = await runProgram('sh', ['-c', command], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^<!doctype html>/i);
    expect(stdout).toContain(unsigned);
  });

  it('has its report deleted with the workload, by the garbage collector', async () => {
    await cluster.api.remove('/apis/apps/v1/namespaces/shop/deployments/worse');
    await until('the report is gone', async () => (await reportsAt(REPORTS)).length === 1, { seconds: 60 });
    expect((await reportsAt(REPORTS)).map(({ scope }) => scope?.name)).toEqual(['cart']);
  });

  it('fails, and says which permission is missing, without the one to write reports', async () => {
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/sailmark-scan';
    interface Role {
      readonly rules: readonly { readonly apiGroups: readonly string[] }[];
    }
    const { rules } = await cluster.api.get<Role>(path);
    await cluster.api.patch(path, {
      rules: rules.filter(({ apiGroups }) => !apiGroups.includes('openreports.io')),
    });
    const { failed, log, forbidden } = await runJob('forbidden');
    await cluster.api.patch(path, { rules });
    expect(failed).toBeGreaterThan(0);
    expect(log).toContain(
      'it requires a ClusterRole with the rule {apiGroups: ["openreports.io"], resources: ["reports"]',
    );
    expect(new Set(forbidden)).toEqual(new Set(['list reports']));
    expect((await reportsAt(REPORTS)).map(({ scope }) => scope?.name)).toEqual(['cart']);
  });

  it('deletes its ConfigMap with the release, and needs none of what it wrote', async () => {
    const said = await cluster.helm('uninstall', 'sailmark', '--namespace', NAMESPACE, '--wait');
    expect(said).toContain('uninstalled');
    expect(
      await cluster.api.find(`/api/v1/namespaces/${NAMESPACE}/configmaps/sailmark-scan`),
    ).toBeUndefined();
  });
});
