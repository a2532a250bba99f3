import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageIndex, push } from '../../support/signing-kit.ts';
import { until } from '../control-plane/until.ts';
import { commandsIn, readPage } from '../page.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { openShell, type Shell } from './shell.ts';
import { type Sidecars, trySidecars } from './sidecars.ts';

/*
 * Walks docs/from-cosign-to-enforcing.md, command by command, with nothing added but the test's registry and key; and each
 * way back. Step 1, which needs cosign, is walked in test/e2e/guide.test.ts.
 */

const MIRROR = 'registry.corp.example';

const GUIDE = readPage('docs/from-cosign-to-enforcing.md');
const step = (number: number): readonly string[] => commandsIn(GUIDE, `Step ${number}: `);

let cluster: Cluster;
let shell: Shell;
let sidecars: Sidecars;
beforeAll(async () => {
  cluster = await startCluster();
  shell = await openShell(cluster, [{ host: MIRROR, endpoint: cluster.registry.host }]);
  const unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
  cluster.publish('pilot', '1.24.1', { signed: false });
  const neverSigned = cluster.publish('proxyv2', '1.11.8', { signed: false });
  const signed = cluster.publish('proxyv2', '1.28.1');
  for (const tag of ['1.28.0', '1.31.1'])
    for (const component of ['pilot', 'proxyv2']) cluster.publish(component, tag);
  // A copy whose signatures were left behind.
  push(cluster.registry, 'mesh/proxyv2', imageIndex('proxyv2 1.28.1'), '1.28.1');
  sidecars = trySidecars(cluster, { unsigned, signed });
  const workloads = [
    ['shop', 'cart', unsigned],
    ['shop', 'checkout', signed],
    ['payments', 'ledger', `${MIRROR}/mesh/proxyv2:1.28.1`],
    ['legacy', 'archive', neverSigned],
  ] as const;
  for (const name of new Set(workloads.map(([namespace]) => namespace))) await cluster.createNamespace(name);
  for (const [namespace, name, image] of workloads) await sidecars.createDeployment(namespace, name, image);
  for (const [namespace, name] of workloads) await sidecars.untilPod(namespace, name);
});
afterAll(async () => {
  await shell?.remove();
  await cluster?.stop();
});

describe('the guide from cosign to enforcing', () => {
  it('has no command outside its steps', () => {
    const steps = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap(step);
    expect(steps).toEqual(commandsIn(GUIDE));
  });

  it('verifies one image, and shows the keys', async () => {
    const [verify = '', asCosign = '', keys = '', ...others] = step(2);
    expect(others).toEqual([]);
    const unsigned = verify.replace('pilot:1.28.0', 'proxyv2:1.24.1');
    expect(await shell.run(unsigned)).toMatchObject({ code: 10 });
    expect(await shell.type(verify)).toContain('docker.io/istio/pilot:1.28.0');
    expect(JSON.parse(await shell.type(asCosign))).toHaveLength(1);
    await shell.type(keys);
  });

  it('reviews what istioctl renders', async () => {
    const [render = '', review = '', ...others] = step(3);
    expect(others).toEqual([]);
    await shell.type(render);
    const manifest = join(shell.directory, 'istio.yaml');
    const rendered = await readFile(manifest, 'utf8');
    await writeFile(manifest, rendered.replaceAll('1.28.0', '1.24.1'));
    expect(await shell.run(review)).toMatchObject({
      code: 10,
      stdout: expect.stringContaining('(signature-missing)'),
    });
    await writeFile(manifest, rendered);
    await shell.type(review);
  });

  it('scans: three workloads would not start', async () => {
    const [scan = '', toHtml = '', ...others] = step(4);
    expect(others).toEqual([]);
    const { code, stdout } = await shell.run(scan);
    expect(stdout).toMatch(/^If you enforced now, 3 of \d+ pods would be refused\.\n/);
    for (const reason of ['signature-missing', 'image-look-alike', 'image-never-signed'])
      expect(stdout).toContain(`(${reason})`);
    expect(await shell.run(toHtml)).toMatchObject({ code });
    expect(await readFile(join(shell.directory, 'scan.html'), 'utf8')).toMatch(/^<!doctype html>/i);
  });

  it('audits: every pod starts, and Events tell', async () => {
    const [install = '', events = '', _uninstall, ...others] = step(5);
    expect(others).toEqual([]);
    await shell.type(install);
    await sidecars.untilStarts(true, 'shop', 'payments');
    await until('an Event', async () => (await shell.type(events)).includes('SignatureMissing'));
  });

  it('fixes what was found: a mirror, an exemption and an image, until nothing would be refused', async () => {
    const [upgrade = '', setImage = '', save = '', scan = '', ...others] = step(6);
    expect(others).toEqual([]);
    const [, values = ''] = /```yml\n([\s\S]*?)```/.exec(GUIDE) ?? [];
    const day = new Date(Date.now() + 60 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    const current = values.replace(/expires: \d{4}-\d{2}-\d{2}/, `expires: ${day}`);
    await writeFile(join(shell.directory, 'sailmark-values.yaml'), current);
    await shell.type(upgrade);
    await shell.type(save);
    expect((await shell.run(scan)).stdout).toMatch(
      /^If you enforced now, 1 of \d+ pods would be refused\.\n/,
    );
    await shell.type(setImage);
    await shell.untilClean(scan);
  });

  it('enforces in one namespace, and goes back', async () => {
    const [label = '', refused = '', started = '', back = '', ...others] = step(7);
    expect(others).toEqual([]);
    await shell.type(label);
    await sidecars.untilStarts(false, 'shop');
    expect(await shell.run(refused)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/denied the request: .*\(image-never-signed\)/),
    });
    expect(await shell.type(started)).toBe('pod/started created (server dry run)\n');
    expect([await sidecars.isPinned('shop'), await sidecars.starts('payments')]).toEqual([true, true]);
    await shell.type(back);
    await sidecars.untilStarts(true, 'shop');
    await shell.type(label);
    await sidecars.untilStarts(false, 'shop');
  });

  it('enforces everywhere, goes back, and is suspended in an emergency', async () => {
    const [enforce = '', audit = '', suspend = '', ...others] = step(8);
    expect(others).toEqual([]);
    await shell.type(enforce);
    await sidecars.untilStarts(false, 'shop', 'payments');
    await shell.type(audit);
    await sidecars.untilStarts(true, 'payments');
    expect(await sidecars.starts('shop')).toBe(false);
    await shell.type(enforce);
    await sidecars.untilStarts(false, 'shop', 'payments');
    await shell.type(suspend);
    await sidecars.untilStarts(true, 'shop', 'payments');
  });

  it('reviews the next release of Istio, and scans again', async () => {
    const [render = '', review = '', scan = '', ...others] = step(9);
    expect(others).toEqual([]);
    await shell.type(render);
    await shell.type(review);
    await shell.type(scan);
  });

  it('is undone by uninstalling', async () => {
    const [, , uninstall = ''] = step(5);
    await shell.type(uninstall);
    await sidecars.untilStarts(true, 'shop', 'payments');
    const { stdout } = await shell.run(
      'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o name',
    );
    expect(stdout).not.toContain('sailmark');
  });
});
