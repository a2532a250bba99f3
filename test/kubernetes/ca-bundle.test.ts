import { describe, expect, it } from 'vitest';
import {
  firstOnly,
  type Json,
  refuse,
  sendBrokenJson,
  webhookPath,
  webhooksOf,
} from '../support/cluster-server.ts';
import { createTls } from '../support/tls.ts';
import { startAndConnect, testDeadline } from './connected-cluster.ts';

const PATH = webhookPath('sailmark');
const VALIDATING = { kind: 'validating', name: 'sailmark' } as const;
const MUTATING = { kind: 'mutating', name: 'zz-sailmark' } as const;
const [ONE, TWO] = [createTls().ca, createTls().ca];
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const bundlesIn = (object: Json | undefined): unknown =>
  ((object ?? {})['webhooks'] as { clientConfig: { caBundle?: string } }[]).map(
    ({ clientConfig: { caBundle } }) =>
      caBundle === undefined ? undefined : Buffer.from(caBundle, 'base64').toString(),
  );

/** The configuration with a bundle in each entry; undefined: none. */
const withBundles = (...bundles: readonly (string | undefined)[]): Json => {
  const configuration = webhooksOf(...bundles.map((_, place) => `entry-${place}`));
  for (const [place, entry] of (configuration['webhooks'] as { clientConfig: Json }[]).entries()) {
    const bundle = bundles[place];
    if (bundle !== undefined) entry.clientConfig['caBundle'] = base64(bundle);
  }
  return configuration;
};

describe('setting the caBundle', () => {
  it('is refused with the rule that it takes', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, withBundles(undefined));
    server.fault = (request, response) =>
      request.method === 'PATCH' && refuse(403, 'forbidden')(request, response);
    await expect(cluster.setCaBundle(VALIDATING, ONE, testDeadline())).rejects.toMatchObject({
      status: 403,
      message:
        'PATCH validatingwebhookconfigurations sailmark: the API server forbids it; it requires a ClusterRole with the rule {apiGroups: ["admissionregistration.k8s.io"], resources: ["validatingwebhookconfigurations"], resourceNames: ["sailmark"], verbs: ["patch"]} (forbidden)',
    });
  });

  it('is refused where there is no such configuration', async () => {
    const { cluster } = await startAndConnect();
    await expect(cluster.setCaBundle(VALIDATING, ONE, testDeadline())).rejects.toThrow(
      'GET validatingwebhookconfigurations sailmark: not found',
    );
  });

  it('does nothing where there is no such mutating configuration, and sets the bundle of one that there is', async () => {
    const { server, cluster } = await startAndConnect();
    const newest = (): Promise<string> => Promise.resolve(ONE);
    expect(await cluster.setCaBundle(MUTATING, newest, testDeadline())).toBe('absent');
    const path = webhookPath('zz-sailmark', 'mutating');
    server.put(path, withBundles(undefined));
    expect(await cluster.setCaBundle(MUTATING, newest, testDeadline())).toBe('written');
    expect(await cluster.setCaBundle(MUTATING, newest, testDeadline())).toBe('unchanged');
    expect(bundlesIn(server.get(path))).toEqual([ONE]);
  });

  it('is refused where the API server does not take it, and where it babbles', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, withBundles(undefined));
    server.fault = (request, response) =>
      request.method === 'PATCH' && refuse(422, 'webhooks[0]: Invalid value')(request, response);
    await expect(cluster.setCaBundle(VALIDATING, ONE, testDeadline())).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('the API server returned 422 (webhooks[0]: Invalid value)'),
    });
    server.fault = sendBrokenJson;
    await expect(cluster.setCaBundle(VALIDATING, ONE, testDeadline())).rejects.toMatchObject({ status: 200 });
  });

  it('writes every entry that has another one, and nothing else of the object', async () => {
    const { server, cluster } = await startAndConnect();
    const before = withBundles(undefined, ONE, TWO);
    server.put(PATH, before);
    const written = server.get(PATH);
    expect(await cluster.setCaBundle(VALIDATING, TWO, testDeadline())).toBe('written');
    expect(server.get(PATH)).toEqual({
      ...withBundles(TWO, TWO, TWO),
      metadata: { ...(written?.['metadata'] as Json), resourceVersion: expect.any(String) },
    });
    expect(server.requests.at(-1)?.body).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: '101' },
      { op: 'test', path: '/webhooks/0/name', value: 'entry-0' },
      { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: base64(TWO) },
      { op: 'test', path: '/webhooks/1/name', value: 'entry-1' },
      { op: 'add', path: '/webhooks/1/clientConfig/caBundle', value: base64(TWO) },
    ]);
  });

  it('writes nothing where every entry has it', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, withBundles(ONE, ONE));
    expect(await cluster.setCaBundle(VALIDATING, ONE, testDeadline())).toBe('unchanged');
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('reads again what somebody wrote in between, entries in another order too', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, withBundles(ONE, TWO));
    server.fault = firstOnly(
      1,
      () => {
        const moved = withBundles(TWO, ONE, undefined);
        server.put(PATH, { ...moved, webhooks: (moved['webhooks'] as unknown[]).toReversed() });
        return false;
      },
      ({ method }) => method === 'PATCH',
    );
    expect(await cluster.setCaBundle(VALIDATING, ONE, testDeadline())).toBe('written');
    expect(bundlesIn(server.get(PATH))).toEqual([ONE, ONE, ONE]);
  });

  it('tries again where the API server itself met a conflict', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, withBundles(TWO));
    server.fault = firstOnly(2, refuse(409, 'conflict'), ({ method }) => method === 'PATCH');
    expect(await cluster.setCaBundle(VALIDATING, ONE, testDeadline())).toBe('written');
  });

  it('asks for the bundle anew each time it was overtaken', async () => {
    const { server, cluster } = await startAndConnect();
    server.put(PATH, withBundles(undefined));
    const bundles = [ONE, TWO];
    server.fault = firstOnly(
      1,
      () => {
        server.put(PATH, withBundles(undefined));
        return false;
      },
      ({ method }) => method === 'PATCH',
    );
    const newest = async (): Promise<string> => bundles.shift() ?? '';
    expect(await cluster.setCaBundle(VALIDATING, newest, testDeadline())).toBe('written');
    expect(bundlesIn(server.get(PATH))).toEqual([TWO]);
  });
});
