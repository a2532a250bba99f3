import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../control-plane/audit-log.ts';
import { parseMetrics, sumOf } from '../control-plane/metrics.ts';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { RELEASES } from '../control-plane/programs.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, startCluster } from './cluster.ts';

/*
 * From the first install, which audits, to enforcing, and the labels of namespaces: one release, on the oldest API
 * server that the chart supports, the usual one and the newest.
 */

const REFUSAL =
  'image "docker.io/istio/proxyv2:1.24.1" in container "istio-proxy" (spec.containers[1].image): no signature was found (signature-missing)';

interface EventObject {
  readonly reason: string;
  readonly note: string;
  readonly type: string;
  readonly action: string;
  readonly regarding: { readonly kind: string; readonly name: string };
}

describe.each(RELEASES)('a release in Kubernetes %s', (release) => {
  let cluster: Cluster;
  let unsigned: string;
  let signed: string;
  beforeAll(async () => {
    cluster = await startCluster({ release });
    signed = cluster.publish('proxyv2', '1.24.0');
    unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
    for (const namespace of ['shop', 'strict', 'lax']) await cluster.createNamespace(namespace);
  });
  afterAll(() => cluster?.stop());

  const meshed = (image: string) => ({
    containers: [
      { name: 'app', image: 'registry.example/shop:1' },
      { name: 'istio-proxy', image },
    ],
  });
  const pod = (namespace: string, name: string, image = unsigned): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: meshed(image),
  });
  const tryPod = async (namespace: string, name: string, image?: string) => {
    const { status, body, warnings } = await cluster.api.tryCreate(pod(namespace, name, image));
    const { message = '' } = body as { readonly message?: string };
    return { status, message, warnings };
  };
  const label = (namespace: string, mode: string | null): Promise<unknown> =>
    cluster.api.patch(`/api/v1/namespaces/${namespace}`, {
      metadata: { labels: { 'sailmark.dev/mode': mode } },
    });
  /** Resolves with the audit event of an attempt to create a pod. */
  const auditOf = (namespace: string, name: string): Promise<AuditEvent> =>
    cluster.audit.find(
      `creation of pod ${namespace}/${name}`,
      ({ verb, objectRef }) =>
        verb === 'create' &&
        objectRef?.resource === 'pods' &&
        objectRef.namespace === namespace &&
        objectRef.name === name,
    );
  /** Waits until a dry run in this namespace has the result of that mode: a change takes effect with a delay. */
  const untilMode = (namespace: string, mode: 'audit' | 'warn' | 'enforce'): Promise<unknown> =>
    until(`${mode} in ${namespace}`, async () => {
      const { status, warnings } = await cluster.api.tryCreate(pod(namespace, 'probe'), '?dryRun=All');
      const seen = status === 403 ? 'enforce' : warnings.length > 0 ? 'warn' : 'audit';
      return seen === mode;
    });

  it('audits as it is installed: an unsigned sidecar is admitted, with an audit annotation in the API server’s own log, a metric and an Event', async () => {
    await cluster.install();
    const { status, warnings } = await tryPod('shop', 'audited');
    expect({ status, warnings }).toEqual({ status: 201, warnings: [] });
    const { annotations } = await auditOf('shop', 'audited');
    expect(annotations).toMatchObject({
      'audit.sailmark.dev/verdict': 'audit',
      'audit.sailmark.dev/mode': 'audit',
      'audit.sailmark.dev/reason': 'signature-missing',
    });
    const texts = await Promise.all(
      cluster.kubelet.pods().map(async ({ address }) => {
        const response = await fetch(`http://${address}:8081/metrics`);
        return response.text();
      }),
    );
    const findings = { reason: 'signature-missing', effect: 'audit' };
    expect(sumOf(texts.flatMap(parseMetrics), 'sailmark_findings_total', findings)).toBe(1);
    const event = await until('an Event', async () => {
      const path = '/apis/events.k8s.io/v1/namespaces/shop/events';
      const { items } = await cluster.api.get<{ readonly items: readonly EventObject[] }>(path);
      return items.find(({ reason }) => reason === 'SignatureMissing');
    });
    expect(event).toMatchObject({
      type: 'Warning',
      action: 'Audit',
      regarding: { kind: 'Pod', name: 'audited' },
      note: expect.stringContaining(REFUSAL) as string,
    });
  });

  it('is strengthened by a namespace’s label at once, and a label that is no mode counts as none', async () => {
    await label('strict', 'enforce');
    await untilMode('strict', 'enforce');
    expect(await tryPod('strict', 'refused')).toMatchObject({ status: 403 });
    expect(await tryPod('strict', 'signed', signed)).toMatchObject({ status: 201, warnings: [] });
    await label('strict', 'warn');
    await untilMode('strict', 'warn');
    await label('strict', 'off');
    await untilMode('strict', 'audit');
    await label('strict', null);
  });

  it('with mode=warn, shows the client what would have been refused', async () => {
    await cluster.upgrade({ mode: 'warn' });
    await untilMode('shop', 'warn');
    const { status, warnings } = await tryPod('shop', 'warned');
    expect({ status, warnings }).toEqual({ status: 201, warnings: [expect.stringContaining(REFUSAL)] });
    const { code, stderr } = await cluster.kubectl(
      'run',
      'by-hand',
      '--namespace',
      'shop',
      '--image',
      unsigned,
    );
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^Warning: .*signature-missing/) as string,
    });
  });

  it('with mode=enforce, refuses with our sentence, which the Deployment’s FailedCreate event shows', async () => {
    await cluster.upgrade({ mode: 'enforce' });
    await untilMode('shop', 'enforce');
    expect(await tryPod('shop', 'refused')).toEqual({
      status: 403,
      message: expect.stringContaining(
        `admission webhook "enforce.sailmark.dev" denied the request: ${REFUSAL}`,
      ) as string,
      warnings: [],
    });
    expect(await tryPod('shop', 'signed', signed)).toMatchObject({ status: 201, warnings: [] });
    const labels = { app: 'shop' };
    await cluster.api.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', namespace: 'shop' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: meshed(unsigned) } },
    });
    const event = await until('a FailedCreate event', async () => {
      const path = '/apis/events.k8s.io/v1/namespaces/shop/events';
      const { items } = await cluster.api.get<{ readonly items: readonly EventObject[] }>(path);
      return items.find(({ reason }) => reason === 'FailedCreate');
    });
    expect(event).toMatchObject({
      regarding: { kind: 'ReplicaSet' },
      note: expect.stringContaining(`denied the request: ${REFUSAL}`) as string,
    });
  });

  it('is weakened by a label only where the chart allows it', async () => {
    await label('lax', 'audit');
    await untilMode('shop', 'enforce');
    expect(await tryPod('lax', 'refused')).toMatchObject({ status: 403 });
    await cluster.upgrade({ mode: 'enforce', modes: { allowWeakerLabels: true } });
    await untilMode('lax', 'audit');
    await label('lax', 'warn');
    await untilMode('lax', 'warn');
    await label('lax', null);
    await untilMode('lax', 'enforce');
  });
});
