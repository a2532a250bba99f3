import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ActivationOptions, createActivation } from '../../src/webhook/activation/activation.ts';
import { startAndConnect } from '../kubernetes/connected-cluster.ts';
import {
  type ClusterFault,
  firstOnly,
  type Json,
  refuse,
  type TestCluster,
  webhookPath,
  webhooksOf,
} from '../support/cluster-server.ts';

/*
 * An API server on loopback, whose ValidatingWebhookConfiguration is as the chart renders it.
 */

const PATH = webhookPath('sailmark');
const RULES = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
const WHEN_READY = JSON.stringify({ 'critical.sailmark.dev': RULES, 'enforce.sailmark.dev': RULES });
const [CRITICAL, ENFORCE, WARN] = ['critical.sailmark.dev', 'enforce.sailmark.dev', 'warn.sailmark.dev'];

/** What the chart renders: the last entry has rules, because it never refuses. */
const rendered = (annotations: Json = { 'sailmark.dev/rules-when-ready': WHEN_READY }): Json => {
  const configuration = webhooksOf(CRITICAL, ENFORCE, WARN);
  (configuration['webhooks'] as Json[])[2]!['rules'] = ['of the chart'];
  return { ...configuration, metadata: { annotations } };
};

const rulesIn = (server: TestCluster): unknown =>
  ((server.get(PATH) ?? {})['webhooks'] as Json[] | undefined)?.map(({ rules }) => rules);

const INERT = [undefined, undefined, ['of the chart']];
const IN_FORCE = [RULES, RULES, ['of the chart']];

interface Seen {
  readonly logged: object[];
  readonly active: boolean[];
}

const ended: AbortController[] = [];
afterEach(() => {
  for (const shutdown of ended.splice(0)) shutdown.abort();
});

const open = async () => {
  const { server, cluster } = await startAndConnect();
  const seen: Seen = { logged: [], active: [] };
  const log = (fields: object): void => void seen.logged.push(fields);
  const shutdown = new AbortController();
  ended.push(shutdown);
  const options = {
    object: cluster.webhooks('sailmark'),
    log: { info: log, warn: log, error: log },
    metrics: { setActive: (active: boolean) => void seen.active.push(active) },
    shutdown: shutdown.signal,
    unreadableWait: 100,
  } as unknown as ActivationOptions;
  return { server, seen, activation: createActivation(options) };
};

/** Waits until the rules of the object are these. */
const expectRules = (server: TestCluster, rules: readonly unknown[]): Promise<void> =>
  vi.waitFor(() => expect(rulesIn(server)).toEqual(rules), { timeout: 20_000, interval: 5 });
/** Waits until a state was logged. */
const expectState = ({ logged }: Seen, state: string): Promise<void> =>
  vi.waitFor(() => expect(logged.at(-1)).toMatchObject({ state }), { timeout: 20_000, interval: 5 });
const trusted = () => Promise.resolve(undefined);

describe('a webhook configuration is not put in force', () => {
  it('before a replica is ready, although it may be written', async () => {
    const { server, activation } = await open();
    server.put(PATH, rendered());
    await activation.untilPermitted();
    expect(rulesIn(server)).toEqual(INERT);
  });

  it('while the API server would not trust the certificate, and is as soon as it would', async () => {
    const { server, seen, activation } = await open();
    server.put(PATH, rendered());
    const asked: unknown[] = [];
    activation.begin((client) => {
      asked.push(client);
      return Promise.resolve(asked.length < 3 ? 'unable to verify the first certificate' : undefined);
    });
    await expectState(seen, 'inactive');
    expect(rulesIn(server)).toEqual(INERT);
    expect(seen).toMatchObject({
      active: [false],
      logged: [{ state: 'inactive', waitsFor: 'unable to verify the first certificate' }],
    });
    expect(asked[0]).toMatchObject({ caBundle: undefined, host: 'sailmark.sailmark.svc' });
    await expectRules(server, IN_FORCE);
  });

  it.each([
    ['is missing', {}],
    ['is no JSON', { 'sailmark.dev/rules-when-ready': '{' }],
    ['is a list', { 'sailmark.dev/rules-when-ready': '[]' }],
    ['has an entry without rules', { 'sailmark.dev/rules-when-ready': '{"enforce.sailmark.dev":[]}' }],
    ['has no entry', { 'sailmark.dev/rules-when-ready': '{}' }],
    [
      'has an entry that the object has not',
      { 'sailmark.dev/rules-when-ready': JSON.stringify({ 'enforce.example.com': RULES }) },
    ],
  ])('by an annotation that %s', async (_, annotations) => {
    const { server, seen, activation } = await open();
    server.put(PATH, rendered(annotations));
    activation.begin(trusted);
    await expectState(seen, 'unusable');
    expect([rulesIn(server), seen.active]).toEqual([INERT, [false]]);
  });

  it('while an operator suspends it, and is when that ends', async () => {
    const { server, seen, activation } = await open();
    const annotations = { 'sailmark.dev/rules-when-ready': WHEN_READY };
    server.put(PATH, rendered({ ...annotations, 'sailmark.dev/suspended': 'INC-1' }));
    activation.begin(trusted);
    await expectState(seen, 'suspended');
    expect(seen.logged.at(-1)).toMatchObject({ reason: 'INC-1' });
    expect(rulesIn(server)).toEqual(INERT);
    server.put(PATH, rendered(annotations));
    await expectRules(server, IN_FORCE);
  });

  it('without the permission, which is asked for before the replica is ready', async () => {
    const { server, seen, activation } = await open();
    server.put(PATH, rendered());
    server.fault = firstOnly(1, refuse(403, 'forbidden'), ({ method }) => method === 'PATCH');
    await activation.untilPermitted();
    expect(String((seen.logged[0] as { readonly err: Error }).err)).toContain(
      'a ClusterRole with the rule {apiGroups: ["admissionregistration.k8s.io"], resources: ["validatingwebhookconfigurations"], resourceNames: ["sailmark"], verbs: ["patch"]}',
    );
    expect(
      server.requests.filter(({ method }) => method === 'PATCH').map(({ query, body }) => ({ query, body })),
    ).toEqual(Array.from({ length: 2 }, () => ({ query: { dryRun: 'All' }, body: [] })));
  });
});

describe('that nothing is refused is seen', () => {
  it('where the rules are lost and may not be written, by whomever that is forbidden', async () => {
    const { server, seen, activation } = await open();
    server.put(PATH, rendered());
    activation.begin(trusted);
    await expectRules(server, IN_FORCE);
    server.fault = (request, response) =>
      request.method === 'PATCH' && refuse(403, 'a policy forbids it')(request, response);
    server.put(PATH, rendered());
    await expectState(seen, 'inactive');
    expect(seen.active.at(-1)).toBe(false);
    expect(seen.logged.at(-1)).toMatchObject({
      waitsFor: expect.stringContaining('its rules could not be written') as string,
    });
  });

  it('where the object may not be read', async () => {
    const { server, seen, activation } = await open();
    server.fault = refuse(403, 'forbidden');
    activation.begin(trusted);
    await vi.waitFor(() => expect(seen.active).toEqual([false]), { timeout: 20_000 });
  });
});

describe('a replica starts', () => {
  it('although it may not read an object that may be in force, after a while', async () => {
    const { server, seen, activation } = await open();
    server.fault = refuse(403, 'forbidden');
    await activation.untilPermitted();
    expect(seen.logged.length).toBeGreaterThan(1);
  });

  const faults: readonly (readonly [string, ClusterFault])[] = [
    ['fails', refuse(500, 'no')],
    ['has no such configuration', refuse(404, 'not found')],
    [
      'forbids it, as long as what can refuse is in force',
      (request, response) => request.method === 'PATCH' && refuse(403, 'forbidden')(request, response),
    ],
  ];
  it.each(faults)('although the API server %s', async (_, fault) => {
    const { server, activation } = await open();
    const inForce = rendered();
    for (const entry of (inForce['webhooks'] as Json[]).slice(0, 2)) entry['rules'] = RULES;
    server.put(PATH, inForce);
    server.fault = fault;
    await expect(activation.untilPermitted()).resolves.toBeUndefined();
  });
});

describe('a webhook configuration is put in force', () => {
  it('once a replica is ready: the rules of the entries that wait, and nothing else', async () => {
    const { server, seen, activation } = await open();
    server.put(PATH, rendered());
    const before = server.get(PATH);
    activation.begin(trusted);
    await expectState(seen, 'active');
    expect(rulesIn(server)).toEqual(IN_FORCE);
    const after = structuredClone(server.get(PATH)) as { webhooks: Json[]; metadata: Json };
    for (const entry of after.webhooks.slice(0, 2)) delete entry['rules'];
    expect(after).toEqual({
      ...before,
      metadata: {
        ...(before?.['metadata'] as Json),
        resourceVersion: after.metadata['resourceVersion'],
      },
    });
    expect(new Set(seen.active)).toEqual(new Set([true]));
  });

  it('again as soon as its rules are removed, in whatever order its entries are', async () => {
    const { server, activation } = await open();
    server.put(PATH, rendered());
    activation.begin(trusted);
    await expectRules(server, IN_FORCE);
    server.put(PATH, rendered());
    await expectRules(server, IN_FORCE);
    const moved = rendered();
    server.put(PATH, { ...moved, webhooks: (moved['webhooks'] as Json[]).toReversed() });
    await expectRules(server, [['of the chart'], RULES, RULES]);
    expect(server.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(3);
  });

  it('again at once, although the certificate is not trusted at the moment: a lost caBundle opens nothing', async () => {
    const { server, activation } = await open();
    server.put(PATH, rendered());
    let asked = 0;
    activation.begin(() => {
      asked += 1;
      return Promise.resolve(asked <= 2 ? undefined : 'not any more');
    });
    await expectRules(server, IN_FORCE);
    server.put(PATH, rendered());
    await expectRules(server, IN_FORCE);
    expect(asked).toBe(2);
  });

  it('where it did not exist when the replica became ready, or was deleted and created again', async () => {
    const { server, seen, activation } = await open();
    activation.begin(trusted);
    await expectState(seen, 'absent');
    await vi.waitFor(() => expect(server.watches()).toBe(1));
    server.put(PATH, rendered());
    await expectRules(server, IN_FORCE);
    server.delete(PATH);
    await expectState(seen, 'absent');
    server.put(PATH, rendered());
    await expectRules(server, IN_FORCE);
  });

  it('after another client wrote it in between, and after the watch ended', async () => {
    const { server, activation } = await open();
    server.put(PATH, rendered());
    server.fault = firstOnly(
      1,
      () => {
        server.put(PATH, rendered());
        return false;
      },
      ({ method }) => method === 'PATCH',
    );
    activation.begin(trusted);
    await expectRules(server, IN_FORCE);
    await vi.waitFor(() => expect(server.watches()).toBe(1));
    server.endWatches();
    // The next one begins after a pause.
    await vi.waitFor(() => expect(server.watches()).toBe(0), { interval: 5 });
    server.put(PATH, rendered());
    await expectRules(server, IN_FORCE);
    expect(rulesIn(server)).toEqual(IN_FORCE);
  });
});
