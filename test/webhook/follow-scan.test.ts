import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics, type ScanCounts } from '../../src/observability/index.ts';
import { followScan } from '../../src/webhook/follow-scan.ts';
import { startAndConnect } from '../kubernetes/connected-cluster.ts';
import { configMapPath, firstOnly, type Json, refuse, type TestCluster } from '../support/cluster-server.ts';

/*
 * The counts of a kept result as metrics of the webhook.
 */

const PATH = configMapPath('sailmark', 'sailmark-scan');
const byStatus = { refused: 3, unknown: 2, reported: 1, exempt: 0, verified: 40 };
const COUNTS: ScanCounts = {
  schema: 'sailmark.dev/scan-counts/v1',
  endedAt: '2026-11-30T09:00:04.210Z',
  lastCompleteAt: '2026-11-30T08:00:00.000Z',
  complete: false,
  durationSeconds: 4.21,
  images: byStatus,
  pods: { ...byStatus, refused: 30 },
  preflight: { ...byStatus, refused: 1 },
  ownersRefused: 2,
  driftedContainers: 5,
  driftUnknownContainers: 6,
  notSeen: 7,
};

const put = (server: TestCluster, counts: unknown): void =>
  server.put(PATH, { kind: 'ConfigMap', metadata: {}, data: { 'counts.json': JSON.stringify(counts) } });

const startFollowing = async (before: (server: TestCluster) => void = () => {}) => {
  const { server, cluster } = await startAndConnect();
  before(server);
  const metrics = createMetrics({ version: '1', commit: 'c', node: 'n' });
  const shutdown = new AbortController();
  onTestFinished(() => shutdown.abort());
  const said: string[] = [];
  followScan(cluster.configMap('sailmark', 'sailmark-scan'), {
    log: { warn: (_: unknown, message: string) => void said.push(message) } as never,
    metrics,
    report: (error) => {
      said.push(String(error));
      return '';
    },
    shutdown: shutdown.signal,
  });
  /** The samples of scans, `name{labels} value`. */
  const samples = async (): Promise<readonly string[]> =>
    (await metrics.render()).text.split('\n').filter((line) => line.startsWith('sailmark_scan_'));
  return { server, said, samples };
};

const refusedImages = 'sailmark_scan_images{status="refused"}';

describe('the counts of the last scan', () => {
  it('are none without the object, which is said', async () => {
    const { said, samples } = await startFollowing();
    await expect
      .poll(() => said)
      .toEqual(['Error: configmaps sailmark/sailmark-scan does not exist: there are no metrics of scans']);
    expect(await samples()).toEqual([]);
  });

  it('are none before the first scan, and nothing is said', async () => {
    const { server, said, samples } = await startFollowing((cluster) =>
      cluster.put(PATH, { kind: 'ConfigMap', metadata: {} }),
    );
    await expect.poll(() => server.watches()).toBe(1);
    expect([said, await samples()]).toEqual([[], []]);
  });

  it.each([
    { name: 'no JSON', counts: 'x' },
    { name: 'another schema', counts: { ...COUNTS, schema: 'sailmark.dev/scan-counts/v2' } },
    { name: 'a count that is a text', counts: { ...COUNTS, ownersRefused: '2' } },
    { name: 'a negative count', counts: { ...COUNTS, images: { ...byStatus, refused: -1 } } },
    { name: 'a missing status', counts: { ...COUNTS, pods: { refused: 1 } } },
    { name: 'no time', counts: { ...COUNTS, endedAt: 'yesterday' } },
    { name: 'too much', counts: { ...COUNTS, more: 'x'.repeat(20_000) } },
    { name: 'a list', counts: [COUNTS] },
  ])('stay as they were while they are malformed, which is said once: $name', async ({ counts }) => {
    const { server, said, samples } = await startFollowing((cluster) => put(cluster, COUNTS));
    await expect.poll(samples).toContain(`${refusedImages} 3`);
    await expect.poll(() => server.watches()).toBe(1);
    put(server, counts);
    put(server, counts);
    await expect.poll(() => said).toEqual(['the counts of the last scan are malformed and ignored']);
    expect(await samples()).toContain(`${refusedImages} 3`);
  });

  it('have no label but those of the code, whatever the object holds', async () => {
    const hostile = { ...byStatus, 'evil"} 1\nsailmark_ready{x="': 9, __proto__: { refused: 1 } };
    const { samples } = await startFollowing((cluster) =>
      put(cluster, { ...COUNTS, images: hostile, evil: 1 }),
    );
    await expect.poll(samples).toContain(`${refusedImages} 3`);
    expect((await samples()).join('\n')).not.toContain('evil');
  });

  it('come once the API server responds', async () => {
    const { samples } = await startFollowing((cluster) => {
      put(cluster, COUNTS);
      cluster.fault = firstOnly(1, refuse(500, 'no'));
    });
    await expect.poll(samples, { timeout: 10_000 }).toContain(`${refusedImages} 3`);
  });

  it('are exposed, and follow the object', async () => {
    const { server, said, samples } = await startFollowing((cluster) => put(cluster, COUNTS));
    await expect.poll(async () => (await samples()).length).toBe(22);
    expect(await samples()).toEqual([
      'sailmark_scan_images{status="refused"} 3',
      'sailmark_scan_images{status="unknown"} 2',
      'sailmark_scan_images{status="reported"} 1',
      'sailmark_scan_images{status="exempt"} 0',
      'sailmark_scan_images{status="verified"} 40',
      'sailmark_scan_pods{status="refused"} 30',
      'sailmark_scan_pods{status="unknown"} 2',
      'sailmark_scan_pods{status="reported"} 1',
      'sailmark_scan_pods{status="exempt"} 0',
      'sailmark_scan_pods{status="verified"} 40',
      'sailmark_scan_preflight_images{status="refused"} 1',
      'sailmark_scan_preflight_images{status="unknown"} 2',
      'sailmark_scan_preflight_images{status="reported"} 1',
      'sailmark_scan_preflight_images{status="exempt"} 0',
      'sailmark_scan_preflight_images{status="verified"} 40',
      'sailmark_scan_owners_refused 2',
      'sailmark_scan_drifted_containers{state="drifted"} 5',
      'sailmark_scan_drifted_containers{state="unknown"} 6',
      'sailmark_scan_unseen_resources 7',
      'sailmark_scan_complete 0',
      'sailmark_scan_last_success_timestamp_seconds 1796025600',
      'sailmark_scan_duration_seconds 4.21',
    ]);
    await expect.poll(() => server.watches()).toBe(1);
    put(server, { ...COUNTS, images: { ...byStatus, refused: 0 }, complete: true } satisfies Json);
    await expect.poll(samples).toContain(`${refusedImages} 0`);
    expect([said, (await samples()).includes('sailmark_scan_complete 1')]).toEqual([[], true]);
  });
});
