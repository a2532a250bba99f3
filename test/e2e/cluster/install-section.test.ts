import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../control-plane/until.ts';
import { type Cluster, startCluster } from './cluster.ts';

/* Runs the commands of the README's install section, one by one, with nothing added but the test's values. */

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const [, section = ''] = /## Install, audit, enforce\n([\s\S]*?)\n## /.exec(README) ?? [];
const commands = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

let cluster: Cluster;
let unsigned: string;
let signed: string;
beforeAll(async () => {
  cluster = await startCluster();
  unsigned = cluster.publish('proxyv2', '1.24.1', { signed: false });
  signed = cluster.publish('proxyv2', '1.24.2');
  for (const name of ['shop', 'other']) await cluster.createNamespace(name);
});
afterAll(() => cluster?.stop());

/** Runs a command of the README. Helm also gets the values for the test's registry and key, and waits. */
const type = async (command: string): Promise<string> => {
  const [program, ...words] = command.replace(/\s*#.*$/, '').split(' ');
  if (program === 'kubectl') {
    const { code, stdout, stderr } = await cluster.kubectl(...words);
    expect([command, code, stderr]).toEqual([command, 0, expect.not.stringContaining('rror')]);
    return stdout;
  }
  const values = await cluster.writeValues(cluster.values);
  return cluster.helm(...words, '--wait', '--timeout', '90s', '--values', values);
};

let made = 0;
const createPod = (namespace: string, image: string) => {
  made += 1;
  return cluster.api.tryCreate({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${made}`, namespace },
    spec: { containers: [{ name: 'istio-proxy', image }] },
  });
};
/** Reports whether a pod with an unsigned sidecar can be created in a namespace. */
const starts = async (namespace: string): Promise<boolean> => {
  const { status } = await createPod(namespace, unsigned);
  return status === 201;
};
/** Reports whether a pod with a signed sidecar is stored with its digest. */
const isPinned = async (namespace: string): Promise<boolean> => {
  const { body } = await createPod(namespace, signed);
  const { spec } = body as { readonly spec: { readonly containers: readonly [{ readonly image: string }] } };
  return spec.containers[0].image.startsWith(`${signed}@sha256:`);
};
const untilStarts = (expected: boolean, ...namespaces: readonly string[]): Promise<unknown> =>
  until(`unsigned pods ${expected ? 'start' : 'are refused'} in ${namespaces.join(', ')}`, async () => {
    const seen = await Promise.all(namespaces.map(starts));
    return seen.every((one) => one === expected);
  });

it('the README’s install section audits, shows what it found, enforces by label and by value, and switches off', async () => {
  const [install = '', events = '', label = '', enforce = '', off = '', unpin = '', ...others] = commands;
  expect(others).toEqual([]);
  await type(install);
  await untilStarts(true, 'shop', 'other');
  await until('an Event', async () => (await type(events)).includes('SignatureMissing'));
  await type(label);
  await untilStarts(false, 'shop');
  expect(await starts('other')).toBe(true);
  await type(enforce);
  await untilStarts(false, 'shop', 'other');
  await type(off);
  await untilStarts(true, 'shop', 'other');
  expect(await isPinned('shop')).toBe(true);
  await type(unpin);
  await until('no pod is pinned', async () => !(await isPinned('shop')));
});
