import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../control-plane/until.ts';
import { commandsIn, readPage } from '../page.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { openShell, type Shell } from './shell.ts';
import { type Sidecars, trySidecars } from './sidecars.ts';

/*
 * Walks the README's path from never having heard of sailmark to enforcing, and back: every command of its sections, one
 * by one, with nothing added but the test's registry and key.
 */

const README = readPage('README.md');

let cluster: Cluster;
let shell: Shell;
let sidecars: Sidecars;
beforeAll(async () => {
  cluster = await startCluster();
  shell = await openShell(cluster);
  const unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
  const signed = cluster.publish('proxyv2', '1.24.2');
  // The release that the README moves a Deployment to.
  cluster.publish('proxyv2', '1.28.1');
  sidecars = trySidecars(cluster, { unsigned, signed });
  for (const name of ['shop', 'other']) await cluster.createNamespace(name);
  await sidecars.createDeployment('shop', 'cart', unsigned);
  await sidecars.createDeployment('shop', 'checkout', signed);
});
afterAll(async () => {
  await shell?.remove();
  await cluster?.stop();
});

/** Runs a scan, which must find the unsigned sidecar. */
const expectUnsignedCart = async (scan: string): Promise<void> => {
  const before = await shell.run(scan);
  expect(before).toMatchObject({
    code: 10,
    stdout: expect.stringMatching(/^If you enforced now, 1 of \d+ pods would be refused\.\n/),
  });
  expect(before.stdout).toContain('shop Deployment/cart, container istio-proxy: 1 pod\n');
  expect(before.stdout).toContain('(signature-missing)');
};

it('the README’s path scans, audits, fixes, scans, enforces by label and by value, and switches off', async () => {
  const [see = '', ...surplus] = commandsIn(README, 'See what would be refused');
  expect(surplus).toEqual([]);
  const commands = commandsIn(README, 'Install, audit, enforce');
  // The kubelet takes the bundle for any image. Those of docs/install.md that can run here are run by its own test.
  expect(commands.slice(0, 2).map((command) => command.split(' ')[0])).toEqual(['docker', 'docker']);
  const [
    install = '',
    events = '',
    fix = '',
    again = '',
    label = '',
    enforce = '',
    off = '',
    unpin = '',
    ...others
  ] = commands.slice(2);
  expect(others).toEqual([]);

  for (const name of ['cart', 'checkout']) await sidecars.untilPod('shop', name);
  await expectUnsignedCart(see);

  await shell.type(install);
  await sidecars.untilStarts(true, 'shop', 'other');
  await until('an Event', async () => (await shell.type(events)).includes('SignatureMissing'));

  await shell.type(fix);
  await shell.untilClean(again);

  await shell.type(label);
  await sidecars.untilStarts(false, 'shop');
  expect(await sidecars.starts('other')).toBe(true);
  expect(await sidecars.isPinned('shop')).toBe(true);
  await shell.type(enforce);
  await sidecars.untilStarts(false, 'shop', 'other');
  await shell.type(off);
  await sidecars.untilStarts(true, 'shop', 'other');
  expect(await sidecars.isPinned('shop')).toBe(true);
  await shell.type(unpin);
  await until('no pod is pinned', async () => !(await sidecars.isPinned('shop')));
});
