import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ScanResult } from '../../src/scan/index.ts';
import { container, pod } from '../support/builders.ts';
import { podPath, startCluster, type TestCluster } from '../support/cluster-server.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { type Opener, startBrowser } from './browser.ts';
import { imageRows, legendOf } from './read-page.ts';

/*
 * `scan --output html` of 2,000 pods in 50 namespaces, with signed, unsigned and look-alike images, and images of a
 * registry that is not there: what the page shows is what `--output json` prints.
 */

const PODS = 2_000;
const NAMESPACES = 50;

let directory: string;
let cluster: TestCluster;
let mirror: Mirror;
let browser: Opener;
let scan: ScanResult;
let html: string;

/** The members that differ from one scan to the next. */
const lasting = (result: ScanResult) => ({ ...result, startedAt: '', durationMs: 0, cost: {} });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-page-cluster-'));
  [cluster, mirror, browser] = await Promise.all([startCluster(), startMirror(), startBrowser()]);
  const signed = ['1.28.1', '1.28.2', '1.29.0'].map((tag) => mirror.add({ tag }).byTag);
  const unsigned = ['1.27.0', '1.27.1'].map((tag) => mirror.add({ tag, by: false }).byTag);
  const others = ['registry.corp.example/istio/proxyv2:1.28.1', 'docker.io/library/nginx:1'];
  const images = [...signed, ...signed, ...unsigned, ...others];
  for (let index = 0; index < NAMESPACES; index += 1)
    cluster.put(`/api/v1/namespaces/team-${index}`, {
      kind: 'Namespace',
      metadata: { labels: { 'kubernetes.io/metadata.name': `team-${index}` } },
    });
  for (let index = 0; index < PODS; index += 1) {
    const image = images[index % images.length] as string;
    const path = podPath(`team-${index % NAMESPACES}`, `web-${index}`);
    cluster.put(path, pod({ containers: [container(image, 'app')] }, {}));
  }
  const kubeconfig = join(directory, 'kubeconfig');
  const config = join(directory, 'sailmark.yaml');
  await writeFile(kubeconfig, cluster.kubeconfig());
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(config, JSON.stringify({ ...head, ...mirror.configuration }));
  const argv = ['src/main.ts', 'scan', '--kubeconfig', kubeconfig, '--config', config, '--output'];
  // It fails, as something would be refused; what it printed counts.
  const scanTo = (output: string): Promise<string> =>
    new Promise((resolve) => {
      execFile(process.execPath, [...argv, output], { maxBuffer: 2 ** 26 }, (_, stdout) => resolve(stdout));
    });
  scan = JSON.parse(await scanTo('json')) as ScanResult;
  html = await scanTo('html');
}, 120_000);

afterAll(async () => {
  await Promise.all([browser.close(), cluster.close(), mirror.registry.close()]);
  await rm(directory, { recursive: true, force: true });
});

it('finds some of each, so that the rest proves something', () => {
  expect(scan.summary.pods.all).toBe(PODS);
  expect(
    Math.min(scan.summary.pods.refused, scan.summary.pods.verified, scan.summary.pods.other),
  ).toBeGreaterThan(0);
});

it('holds the document that --output json prints', async () => {
  const { page, faults } = await browser.openHtml(html);
  const held = JSON.parse((await page.locator('#scan').textContent()) ?? '') as ScanResult;
  expect(lasting(held)).toEqual(lasting(scan));
  expect(faults).toEqual([]);
});

it('shows its numbers, its images and its remedies', async () => {
  const { page } = await browser.openHtml(html);
  const { pods, images } = scan.summary;
  const shown = (number: number): string => number.toLocaleString('en-US');
  expect(await legendOf(page)).toEqual({
    'would be refused': [shown(pods.refused), shown(images.refused)],
    unknown: [shown(pods.unknown), shown(images.unknown)],
    'would be reported': [shown(pods.reported), shown(images.reported)],
    exempt: [shown(pods.exempt), shown(images.exempt)],
    verified: [shown(pods.verified), shown(images.verified)],
    'no image of Istio’s': [shown(pods.other), ''],
  });
  expect(await imageRows(page)).toEqual(
    scan.images.map(({ status, reference, reason, pods: running }) => ({
      status,
      reference,
      reason: reason ?? '',
      pods: running,
    })),
  );
  expect(await page.locator('#remedies .title').count()).toBe(Math.min(scan.remedies.length, 5));
});

it('filters, sorts and prints it', async () => {
  const { page } = await browser.openHtml(html);
  await page.locator('.filters').getByLabel('Namespace').selectOption({ label: 'team-7' });
  expect((await imageRows(page)).map(({ reference }) => reference)).toEqual(
    scan.images
      .filter(({ uses }) => uses.some(({ namespace }) => namespace === 'team-7'))
      .map(({ reference }) => reference),
  );
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.locator('#images thead').getByRole('button', { name: 'Pods' }).click();
  expect((await imageRows(page)).map(({ pods }) => pods)).toEqual(
    scan.images.map(({ pods }) => pods).toSorted((a, b) => b - a),
  );
  await page.emulateMedia({ media: 'print' });
  await page.locator('#images tr.detail:visible').first().waitFor();
  expect(await page.locator('#images tr.detail:visible').count()).toBe(
    scan.summary.images.refused + scan.summary.images.unknown,
  );
});
