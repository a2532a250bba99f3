import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../control-plane/api.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import type { Metadata } from '../control-plane/objects.ts';
import { RELEASES } from '../control-plane/programs.ts';
import { until } from '../control-plane/until.ts';
import { createClient, type Rule } from './clients.ts';
import { CHART, IMAGE } from './cluster.ts';
import { discoverWays, LABEL, type Way } from './namespace-ways.ts';

/*
 * The policy of `modes.guard` on real API servers, and every request by which a client can change the label of a
 * namespace.
 */

const NAMESPACES = '/api/v1/namespaces';

/** Every verb of RBAC on them, except the one that the guard asks for. */
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const RESOURCES = ['namespaces', 'namespaces/finalize', 'namespaces/status'];
const TENANT: readonly Rule[] = [{ apiGroups: [''], resources: RESOURCES, verbs: VERBS }];
const OWNER: readonly Rule[] = [
  ...TENANT,
  { apiGroups: [''], resources: ['namespaces'], verbs: ['weaken-sailmark-mode'] },
];

/** Each way of each resource. One that is missing here is new: the guard must cover it. */
const WAYS = [
  ...['namespaces', 'namespaces/status'].flatMap((resource) => [
    `PATCH ${resource} (json-patch+json)`,
    `PATCH ${resource} (merge-patch+json)`,
    `PATCH ${resource} (strategic-merge-patch+json)`,
    `PATCH ${resource} (apply-patch+yaml)`,
    `PUT ${resource}`,
  ]),
  'PUT namespaces/finalize',
];

interface Change {
  readonly from: string;
  /** Null if the label is removed. */
  readonly to: string | null;
}

describe.each(RELEASES)('the guard of the mode label in Kubernetes %s', (release) => {
  let directory: string;
  let plane: ControlPlane;
  let tenant: Api;
  let owner: Api;
  let ways: readonly Way[];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sailmark-guard-'));
    plane = await startControlPlane(release);
    tenant = await createClient(plane, 'tenant', TENANT);
    owner = await createClient(plane, 'owner', OWNER);
    ways = await discoverWays(plane.api);
  });
  afterAll(async () => {
    await plane?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  let made = 0;
  const nextName = (): string => {
    made += 1;
    return `guarded-${made}`;
  };
  const namespaceOf = (metadata: object, mode?: string) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { ...metadata, ...(mode === undefined ? {} : { labels: { [LABEL]: mode } }) },
  });
  const tryCreate = async (api: Api, metadata: object, mode?: string, query = ''): Promise<number> => {
    const { status } = await api.send('POST', `${NAMESPACES}${query}`, { body: namespaceOf(metadata, mode) });
    return status;
  };
  const modeOf = async (name: string): Promise<string> => {
    const { metadata } = await plane.api.get<{ readonly metadata: Metadata }>(`${NAMESPACES}/${name}`);
    return metadata.labels?.[LABEL] ?? 'none';
  };
  /** Changes a namespace of its own in every way. Resolves with each one's response and the mode afterwards. */
  const tryEach = async (api: Api, { from, to }: Change): Promise<Readonly<Record<string, string>>> => {
    const results = ways.map(async (way) => {
      const name = nextName();
      await plane.api.create(namespaceOf({ name }, from));
      const { status, body } = await way.send(api, name, to);
      const byGuard = JSON.stringify(body).includes('the mode of Istio image verification')
        ? ' by the guard'
        : '';
      return [way.name, `${status}${byGuard}, ${await modeOf(name)}`] as const;
    });
    return Object.fromEntries(await Promise.all(results));
  };
  const each = (result: string) => Object.fromEntries(WAYS.map((name) => [name, result]));
  const refused = each('403 by the guard, enforce');
  /** Applies the chart's policy, and waits until the API server refuses what `isRefused` tries. */
  const guard = async (isRefused: () => Promise<boolean>, ...flags: readonly string[]): Promise<void> => {
    const template = 'templates/validatingadmissionpolicy.yaml';
    const argv = [
      'template',
      'sailmark',
      CHART,
      '--show-only',
      template,
      '--set',
      `modes.guard.enabled=true,image.repository=${IMAGE}`,
    ];
    const file = join(directory, 'policy.yaml');
    await writeFile(file, await plane.helm(...argv, ...flags));
    const { code, stderr } = await plane.kubectl('apply', '--filename', file);
    expect([code, stderr]).toEqual([0, '']);
    await until('the policy is in force', isRefused);
  };

  describe('where the release audits, and a label has strengthened a namespace', () => {
    beforeAll(async () => {
      await plane.api.create(namespaceOf({ name: 'probe' }, 'enforce'));
      await guard(async () => {
        const body = { metadata: { labels: { [LABEL]: null } } };
        const type = 'application/merge-patch+json';
        return (await tenant.send('PATCH', `${NAMESPACES}/probe?dryRun=All`, { body, type })).status === 403;
      }, '--set=mode=audit');
    });

    it('refuses to take it off, by every verb and subresource that changes a namespace', async () => {
      expect(await tryEach(tenant, { from: 'enforce', to: null })).toEqual(refused);
      expect(await tryEach(tenant, { from: 'enforce', to: 'audit' })).toEqual(refused);
      expect(await tryEach(tenant, { from: 'enforce', to: 'off' })).toEqual(refused);
    });

    it('lets each of them pass that raises or keeps the mode', async () => {
      expect(await tryEach(tenant, { from: 'audit', to: 'enforce' })).toEqual(each('200, enforce'));
      expect(await tryEach(tenant, { from: 'enforce', to: 'enforce' })).toEqual(each('200, enforce'));
    });

    it('lets each of them pass for who has the verb', async () => {
      expect(await tryEach(owner, { from: 'enforce', to: 'warn' })).toEqual(each('200, warn'));
    });

    it('lets a strengthened namespace be deleted; one that is made later under its name is new', async () => {
      const name = nextName();
      await plane.api.create(namespaceOf({ name }, 'enforce'));
      await tenant.remove(`${NAMESPACES}/${name}`);
      await until('the namespace is gone', async () => {
        const { status } = await plane.api.send('GET', `${NAMESPACES}/${name}`);
        return status === 404;
      });
      expect(await tryCreate(tenant, { name })).toBe(201);
    });
  });

  describe('where the release enforces, and labels may weaken', () => {
    beforeAll(() =>
      guard(
        async () => (await tryCreate(tenant, { name: 'probed' }, 'audit', '?dryRun=All')) === 403,
        '--set=mode=enforce',
        '--set=modes.allowWeakerLabels=true',
      ),
    );

    it('refuses to write a weaker one, by every verb and subresource that changes a namespace', async () => {
      expect(await tryEach(tenant, { from: 'enforce', to: 'audit' })).toEqual(refused);
      expect(await tryEach(tenant, { from: 'enforce', to: 'warn' })).toEqual(refused);
    });

    it('refuses a new namespace that has one, by name, by generated name and by apply', async () => {
      const name = nextName();
      const apply = (api: Api) =>
        api.send('PATCH', `${NAMESPACES}/${name}?fieldManager=test`, {
          body: namespaceOf({ name }, 'audit'),
          type: 'application/apply-patch+yaml',
        });
      const generateName = 'generated-';
      expect([
        await tryCreate(tenant, { name }, 'audit'),
        await tryCreate(tenant, { generateName }, 'audit'),
        (await apply(tenant)).status,
      ]).toEqual([403, 403, 403]);
      expect([
        await tryCreate(tenant, { generateName }),
        await tryCreate(owner, { generateName }, 'audit'),
        (await apply(owner)).status,
      ]).toEqual([201, 201, 201]);
    });
  });
});
