import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseScanCounts } from '../../../src/observability/index.ts';
import type { ScanResult } from '../../../src/scan/index.ts';
import { type PublishDependencies, publishScan } from '../../../src/scan/publish/index.ts';
import { configMapPath, type Json, refuse, type TestCluster } from '../../support/cluster-server.ts';
import { exampleScan } from '../../support/example-scan.ts';
import { ownerNamed, startPublishing, wholeScan, writesOf } from './publish-kit.ts';

const KEPT = configMapPath('sailmark', 'sailmark-scan');
const KEEP = { namespace: 'sailmark', name: 'sailmark-scan' };

interface Event {
  readonly regarding: { readonly name: string };
  readonly [member: string]: unknown;
}

const use = (namespace: string, owner: string): ScanResult['images'][number]['uses'][number] => ({
  namespace,
  owner,
  container: 'istio-proxy',
  path: 'spec.initContainers[1].image',
  pods: 1,
  effect: null,
  reason: null,
});

const startKeeping = async () => {
  const started = await startPublishing();
  started.server.put(KEPT, { kind: 'ConfigMap', metadata: { labels: { team: 'a' } } });
  return started;
};

const publish = (result: ScanResult, dependencies: PublishDependencies) =>
  publishScan(result, { reports: false, events: true, keep: KEEP }, dependencies);

const eventsOf = ({ requests }: TestCluster): readonly Event[] =>
  requests.filter(({ path }) => path.startsWith('/apis/events.k8s.io')).map(({ body }) => body as Event);

const textIn = (server: TestCluster, field: string, key: string): string =>
  String(((server.get(KEPT)?.[field] ?? {}) as Json)[key]);

const bytesIn = (server: TestCluster, key: string): Buffer =>
  gunzipSync(Buffer.from(textIn(server, 'binaryData', key), 'base64'));

const countsIn = (server: TestCluster) => parseScanCounts(textIn(server, 'data', 'counts.json'));

describe('the kept result', () => {
  it('is kept nowhere without the ConfigMap, and that is said', async () => {
    const { server, dependencies } = await startPublishing();
    expect(await publish(wholeScan(), dependencies)).toEqual({
      failed: true,
      done: ['no Events: there is no earlier scan to compare with'],
      problems: ['configmaps sailmark/sailmark-scan does not exist: install the chart again to have it'],
    });
    expect(writesOf(server)).toEqual([]);
  });

  it('needs permissions, which are named, and without them no Event is written', async () => {
    const { server, dependencies } = await startKeeping();
    server.fault = refuse(403, 'no');
    const { problems, failed } = await publish(wholeScan(), dependencies);
    expect(failed).toBe(true);
    expect(problems).toEqual([
      'the result is not kept: GET configmaps sailmark/sailmark-scan: the API server forbids it; it requires a Role in the namespace sailmark with the rule {apiGroups: [""], resources: ["configmaps"], resourceNames: ["sailmark-scan"], verbs: ["get"]} (no)',
    ]);
    expect(writesOf(server)).toEqual([]);
  });

  it('is written again if somebody else changes the object at the same time, and at most three times', async () => {
    const { server, dependencies } = await startKeeping();
    let left = 2;
    server.fault = (request) => {
      if (request.method === 'PATCH' && left > 0) {
        left -= 1;
        server.put(KEPT, { ...server.get(KEPT) });
      }
      return false;
    };
    expect((await publish(wholeScan(), dependencies)).done).toContain(
      'the result is kept in configmaps sailmark/sailmark-scan',
    );
    left = 100;
    expect((await publish(wholeScan(), dependencies)).problems).toEqual([
      'configmaps sailmark/sailmark-scan was changed by others each time that it was written',
    ]);
  });

  it('is the counts and the page, and leaves what others wrote', async () => {
    const { server, dependencies } = await startKeeping();
    await publish(wholeScan(), dependencies);
    const status = (...counts: readonly number[]) => ({
      refused: counts[0],
      unknown: counts[1],
      reported: counts[2],
      exempt: counts[3],
      verified: counts[4],
    });
    expect(countsIn(server)).toEqual({
      schema: 'sailmark.dev/scan-counts/v1',
      endedAt: '2026-11-30T09:00:04.210Z',
      lastCompleteAt: '2026-11-30T09:00:04.210Z',
      complete: true,
      durationSeconds: 4.21,
      images: status(2, 1, 0, 1, 1),
      pods: status(9, 3, 0, 1, 40),
      preflight: status(1, 0, 0, 0, 0),
      ownersRefused: 2,
      driftedContainers: 1,
      driftUnknownContainers: 1,
      notSeen: 0,
    });
    expect(bytesIn(server, 'scan.html.gz').toString()).toBe('<!doctype html><title>5 images</title>');
    expect(server.get(KEPT)?.['metadata']).toMatchObject({ labels: { team: 'a' } });
  });

  it('of an interrupted scan says when the last complete one was', async () => {
    const { server, dependencies } = await startKeeping();
    await publish(wholeScan(), dependencies);
    await publish(wholeScan({ complete: false, startedAt: '2026-11-30T10:00:00.000Z' }), dependencies);
    expect(countsIn(server)).toMatchObject({
      complete: false,
      endedAt: '2026-11-30T10:00:04.210Z',
      lastCompleteAt: '2026-11-30T09:00:04.210Z',
    });
  });

  it('leaves out of the page what does not fit, and says so on it', async () => {
    const { server, dependencies } = await startKeeping();
    const noise = (length: number): string => randomBytes(length / 2).toString('hex');
    const pages: ScanResult[] = [];
    const page = (bytesPerImage: number) => async (result: ScanResult) => {
      pages.push(result);
      return result.images.map(() => noise(bytesPerImage)).join('');
    };
    const reduced = await publish(wholeScan(), { ...dependencies, page: page(350_000) });
    expect(reduced.problems).toEqual([
      'the page lists no verified image: all of it does not fit into configmaps sailmark/sailmark-scan',
    ]);
    expect(pages.at(-1)?.coverage.cut).toEqual(['the page lists no verified image: all of it did not fit']);
    expect(bytesIn(server, 'scan.html.gz').length).toBe(4 * 350_000);
    const none = await publish(wholeScan(), { ...dependencies, page: page(2_000_000) });
    expect(none.problems).toEqual([
      'the page is too large for configmaps sailmark/sailmark-scan: only the counts are kept',
    ]);
    expect(server.get(KEPT)?.['binaryData']).not.toHaveProperty(['scan.html.gz']);
    expect(countsIn(server)).toMatchObject({ complete: true });
  });
});

describe('Events of a scan', () => {
  it('are none at first, and none if nothing has changed', async () => {
    const { server, dependencies } = await startKeeping();
    expect((await publish(wholeScan(), dependencies)).done[0]).toBe(
      'no Events: there is no earlier scan to compare with',
    );
    expect((await publish(wholeScan(), dependencies)).done[0]).toBe(
      '0 Events on owners whose answer has changed',
    );
    expect(eventsOf(server)).toEqual([]);
  });

  it('are none where the kept owners are malformed, or unpack to gigabytes', async () => {
    const { server, dependencies } = await startKeeping();
    for (const bytes of [
      Buffer.from('no gzip'),
      gzipSync('{"owners": 5}'),
      gzipSync('null'),
      gzipSync(Buffer.alloc(64 * 1024 * 1024)),
    ]) {
      server.put(KEPT, { ...server.get(KEPT), binaryData: { 'owners.json.gz': bytes.toString('base64') } });
      const { done } = await publish(wholeScan(), dependencies);
      expect(done[0]).toBe('no Events: there is no earlier scan to compare with');
    }
    expect(eventsOf(server)).toEqual([]);
  });

  it('call nothing resolved that the scan may not have seen, or that is unknown now', async () => {
    const { server, dependencies } = await startKeeping();
    const image = {
      ...exampleScan().images[4],
      uses: [use('shop', 'Deployment/cart')],
    } as ScanResult['images'][number];
    await publish(wholeScan(), dependencies);
    const [cart] = exampleScan().owners;
    for (const result of [
      exampleScan({ owners: [], images: [image] }),
      wholeScan({ owners: [], images: [image], complete: false }),
      wholeScan({ owners: [{ ...ownerNamed('cart'), ...cart, status: 'unknown' }], images: [image] }),
      // The owner is gone: nobody needs to know that its images are fine.
      wholeScan({ owners: [], images: [] }),
    ])
      await publish(result, dependencies);
    expect(eventsOf(server)).toEqual([]);
  });

  it('tell of an owner that was not found before, once, whatever its number of pods', async () => {
    const { server, dependencies } = await startKeeping();
    const [, ...others] = exampleScan().owners;
    await publish(wholeScan({ owners: others }), dependencies);
    const { done } = await publish(wholeScan(), dependencies);
    expect(done[0]).toBe('1 Event on owners whose answer has changed');
    await publish(wholeScan(), dependencies);
    expect(eventsOf(server)).toEqual([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: {
          name: expect.stringMatching(/^sailmark-scan\.[0-9a-f]{24}$/) as string,
          namespace: 'shop',
        },
        eventTime: '2026-11-30T09:00:05.000000Z',
        regarding: {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: 'cart',
          namespace: 'shop',
          uid: '5f0c6f1e-0000-4000-8000-000000000001',
        },
        reason: 'ImageLookAlike',
        action: 'Scan',
        note: `found by a scan: ${exampleScan().owners[0]?.message}`,
        type: 'Warning',
        reportingController: 'sailmark.dev/scan',
        reportingInstance: 'sailmark-scan-1',
      },
    ]);
  });

  it('tell of an owner whose images are verified now', async () => {
    const { server, dependencies } = await startKeeping();
    await publish(wholeScan(), dependencies);
    const image = {
      ...exampleScan().images[4],
      uses: [use('shop', 'Deployment/cart')],
    } as ScanResult['images'][number];
    const [, ...others] = exampleScan().owners;
    await publish(wholeScan({ owners: others, images: [image] }), dependencies);
    expect(eventsOf(server)).toMatchObject([
      {
        regarding: { name: 'cart' },
        reason: 'ImagesVerified',
        type: 'Normal',
        note: 'no longer found by a scan: Deployment cart: its Istio images are verified',
      },
    ]);
  });

  it('are at most a hundred, and each namespace has its turn', async () => {
    const { server, dependencies } = await startKeeping();
    await publish(wholeScan({ owners: [] }), dependencies);
    const many = Array.from({ length: 500 }, (_, index) => ownerNamed(`o${index}`, { namespace: 'crowd' }));
    const { problems } = await publish(
      wholeScan({ owners: [...many, ownerNamed('mine', { namespace: 'quiet' })] }),
      dependencies,
    );
    expect(problems).toEqual(['401 Events left out: a scan writes 100 at most']);
    const events = eventsOf(server);
    expect(events).toHaveLength(100);
    expect(events.map(({ regarding }) => regarding.name)).toContain('mine');
  });

  it('call nobody new once the last scan could not name all', async () => {
    const { server, dependencies } = await startKeeping();
    const many = Array.from({ length: 2_100 }, (_, index) => ownerNamed(`o${index}`));
    await publish(wholeScan({ owners: many }), dependencies);
    const { problems } = await publish(wholeScan({ owners: [...many, ownerNamed('more')] }), dependencies);
    expect(problems).toEqual([
      'no Events on owners that are new: the last scan found more than it could keep',
    ]);
    expect(eventsOf(server)).toEqual([]);
  });

  it('go to other namespaces where one refuses them', async () => {
    const { server, dependencies } = await startKeeping();
    await publish(wholeScan({ owners: [] }), dependencies);
    server.fault = (request, response) =>
      request.path.includes('/namespaces/shop/events') && refuse(403, 'no')(request, response);
    const { done, problems } = await publish(wholeScan(), dependencies);
    expect(done[0]).toBe('1 Event on owners whose answer has changed');
    expect(problems).toEqual([expect.stringContaining('POST events shop: the API server forbids it')]);
  });

  it('are not written unless asked for, and the next scan compares all the same', async () => {
    const { server, dependencies } = await startKeeping();
    await publishScan(wholeScan({ owners: [] }), { reports: false, events: false, keep: KEEP }, dependencies);
    await publish(wholeScan(), dependencies);
    expect(eventsOf(server)).toHaveLength(2);
  });
});
