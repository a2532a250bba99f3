import { describe, expect, it } from 'vitest';
import type { ClusterEvent } from '../../src/observability/index.ts';
import { eventPath, firstOnly, refuse, reset } from '../support/cluster-server.ts';
import { startAndConnect, testDeadline } from './connected-cluster.ts';

const EVENT: ClusterEvent = {
  name: 'web.1a2b',
  namespace: 'shop',
  regarding: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '5' },
  reason: 'SignatureMissing',
  action: 'Audit',
  note: 'docker.io/istio/proxyv2:1.20.0 has no signature',
  type: 'Warning',
  eventTime: Date.UTC(2026, 10, 24, 12, 0, 0, 7),
  reportingController: 'sailmark.dev/webhook',
  reportingInstance: 'sailmark-0',
};
const SERIES = { count: 3, lastObservedTime: Date.UTC(2026, 10, 24, 12, 5) };
const PATH = eventPath('shop', 'web.1a2b');

const OBJECT = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: {
    name: 'web.1a2b',
    namespace: 'shop',
    uid: expect.any(String),
    resourceVersion: expect.any(String),
  },
  eventTime: '2026-11-24T12:00:00.007000Z',
  regarding: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '5', namespace: 'shop' },
  reason: 'SignatureMissing',
  action: 'Audit',
  note: 'docker.io/istio/proxyv2:1.20.0 has no signature',
  type: 'Warning',
  reportingController: 'sailmark.dev/webhook',
  reportingInstance: 'sailmark-0',
};
const OBJECT_SERIES = { count: 3, lastObservedTime: '2026-11-24T12:05:00.000000Z' };

describe('writing an Event', () => {
  it('is refused with the rule that it takes', async () => {
    const { server, cluster } = await startAndConnect();
    server.fault = refuse(403, 'no');
    await expect(cluster.writeEvent(EVENT, testDeadline())).rejects.toThrow(
      'POST events shop: the API server forbids it; it requires a Role in the namespace shop with the rule {apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"]} (no)',
    );
  });

  it('creates it as events.k8s.io/v1 has it', async () => {
    const { server, cluster } = await startAndConnect();
    await cluster.writeEvent(EVENT, testDeadline());
    expect(server.get(PATH)).toEqual(OBJECT);
  });

  it('is done where it was written before, as after a lost answer', async () => {
    const { server, cluster } = await startAndConnect();
    await cluster.writeEvent(EVENT, testDeadline());
    await cluster.writeEvent(EVENT, testDeadline());
    server.fault = firstOnly(1, reset);
    await cluster.writeEvent(EVENT, testDeadline());
    expect(server.get(PATH)).toEqual(OBJECT);
  });

  it('patches the series of one that is there, and nothing else', async () => {
    const { server, cluster } = await startAndConnect();
    await cluster.writeEvent(EVENT, testDeadline());
    await cluster.writeEvent({ ...EVENT, note: 'another', series: SERIES }, testDeadline());
    expect(server.get(PATH)).toEqual({ ...OBJECT, series: OBJECT_SERIES });
    expect(server.requests.at(-1)).toMatchObject({
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { series: OBJECT_SERIES },
    });
  });

  it('creates it whole where it is gone', async () => {
    const { server, cluster } = await startAndConnect();
    await cluster.writeEvent({ ...EVENT, series: SERIES }, testDeadline());
    expect(server.get(PATH)).toEqual({ ...OBJECT, series: OBJECT_SERIES });
  });
});
