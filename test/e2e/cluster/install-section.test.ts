import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../control-plane/until.ts';
import { type ProgramResult, runProgram } from '../tools.ts';
import { type Cluster, startCluster } from './cluster.ts';

/*
 * Walks the README's path from never having heard of sailmark to enforcing, and back: every command of its sections, one
 * by one, with nothing added but the test's registry and key.
 */

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const SAILMARK = new URL('../../../dist/main.js', import.meta.url).pathname;

const commandsIn = (heading: string): readonly string[] => {
  const [, rest = ''] = README.split(`\n## ${heading}\n`);
  const [section = ''] = rest.split('\n## ');
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap(([, block = '']) => block.trim().split('\n'))
    .map((line) => line.replace(/\s*#.*$/, ''));
};

let cluster: Cluster;
let configuration: string;
let unsigned: string;
let signed: string;
beforeAll(async () => {
  cluster = await startCluster();
  unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
  signed = cluster.publish('proxyv2', '1.24.2');
  // The release that the README moves a Deployment to.
  cluster.publish('proxyv2', '1.28.1');
  for (const name of ['shop', 'other']) await cluster.createNamespace(name);
  await createDeployment('cart', unsigned);
  await createDeployment('checkout', signed);
  configuration = await cluster.writeConfiguration();
});
afterAll(() => cluster?.stop());

/** Creates a Deployment of a pod with a sidecar. Its pods are replaced by deleting them first: none ever gets ready. */
const createDeployment = async (name: string, image: string): Promise<void> => {
  const labels = { app: name };
  await cluster.api.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'istio-proxy', image }] } },
    },
  });
};

const scan = (words: readonly string[]): Promise<ProgramResult> =>
  runProgram(process.execPath, [SAILMARK, ...words, '--config', configuration], {
    env: { KUBECONFIG: cluster.kubeconfig },
  });

/** Runs a command of the README. Helm also gets the values for the test's registry and key, and waits. */
const type = async (command: string): Promise<string> => {
  const [program, ...words] = command.split(' ');
  if (program === 'kubectl') {
    const { code, stdout, stderr } = await cluster.kubectl(...words);
    expect([command, code, stderr]).toEqual([command, 0, expect.not.stringContaining('rror')]);
    return stdout;
  }
  const values = await cluster.writeValues(cluster.values);
  return cluster.helm(...words, '--wait', '--timeout', '90s', '--values', values);
};

/** Runs a scan of the README. */
const typeScan = (command: string): Promise<ProgramResult> => {
  const [program, ...words] = command.split(' ');
  expect(program).toBe('sailmark');
  return scan(words);
};

let made = 0;
/** Creates a pod by itself, and deletes it again if it was created. */
const tryPod = async (namespace: string, image: string): Promise<{ status: number; image?: string }> => {
  made += 1;
  const name = `pod-${made}`;
  const { status, body } = await cluster.api.tryCreate({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: 'istio-proxy', image }] },
  });
  if (status !== 201) return { status };
  await cluster.api.remove(`/api/v1/namespaces/${namespace}/pods/${name}`);
  const { spec } = body as { readonly spec: { readonly containers: readonly [{ readonly image: string }] } };
  return { status, image: spec.containers[0].image };
};
/** Reports whether a pod with an unsigned sidecar can be created in a namespace. */
const starts = async (namespace: string): Promise<boolean> =>
  (await tryPod(namespace, unsigned)).status === 201;
/** Reports whether a pod with a signed sidecar is stored with its digest. */
const isPinned = async (namespace: string): Promise<boolean> =>
  (await tryPod(namespace, signed)).image?.startsWith(`${signed}@sha256:`) ?? false;
const untilStarts = (expected: boolean, ...namespaces: readonly string[]): Promise<unknown> =>
  until(`unsigned pods ${expected ? 'start' : 'are refused'} in ${namespaces.join(', ')}`, async () => {
    const seen = await Promise.all(namespaces.map(starts));
    return seen.every((one) => one === expected);
  });

/** The number of pods of the two Deployments that exist. */
const podsOf = async (name: string): Promise<number> => {
  const { stdout } = await cluster.kubectl('get', 'pods', '-n', 'shop', '-l', `app=${name}`, '-o', 'name');
  return stdout.split('\n').filter((line) => line !== '').length;
};

it('the README’s path scans, audits, fixes, scans, enforces by label and by value, and switches off', async () => {
  const [see = '', ...surplus] = commandsIn('See what would be refused');
  expect(surplus).toEqual([]);
  const [
    build = '',
    push = '',
    install = '',
    events = '',
    fix = '',
    again = '',
    label = '',
    enforce = '',
    off = '',
    unpin = '',
    ...others
  ] = commandsIn('Install, audit, enforce');
  expect(others).toEqual([]);
  // The kubelet takes the bundle for any image. Those of docs/install.md that can run here are run by its own test.
  expect([build, push].map((command) => command.split(' ')[0])).toEqual(['docker', 'docker']);

  await until(
    'both Deployments have a pod',
    async () => (await podsOf('cart')) + (await podsOf('checkout')) === 2,
  );
  const before = await typeScan(see);
  expect(before).toMatchObject({
    code: 10,
    stdout: expect.stringMatching(/^If you enforced now, 1 of \d+ pods would be refused\.\n/),
  });
  expect(before.stdout).toContain('shop Deployment/cart, container istio-proxy: 1 pod\n');
  expect(before.stdout).toContain('(signature-missing)');

  await type(install);
  await untilStarts(true, 'shop', 'other');
  await until('an Event', async () => (await type(events)).includes('SignatureMissing'));

  await type(fix);
  await until('nothing would be refused', async () => {
    const { code, stdout } = await typeScan(again);
    if (code === 0 && /^If you enforced now, none of \d+ pods would be refused\.\n/.test(stdout)) return true;
    throw new Error(stdout);
  });

  await type(label);
  await untilStarts(false, 'shop');
  expect(await starts('other')).toBe(true);
  expect(await isPinned('shop')).toBe(true);
  await type(enforce);
  await untilStarts(false, 'shop', 'other');
  await type(off);
  await untilStarts(true, 'shop', 'other');
  expect(await isPinned('shop')).toBe(true);
  await type(unpin);
  await until('no pod is pinned', async () => !(await isPinned('shop')));
});
