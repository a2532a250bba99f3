import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/index.ts';
import { templateKinds } from '../../src/scan/collect/kinds.ts';
import { preflightKinds } from '../../src/scan/preflight/installed.ts';
import { corporate } from './example-values.ts';
import { at, configurationOf, type Manifest, manifestOf, namesOf, refusals, render } from './helm.ts';

/*
 * The CronJob that scans, and what belongs to it.
 */

const enabled = { scan: { enabled: true } };

const podOf = (manifests: readonly Manifest[]): unknown =>
  at(manifestOf(manifests, 'CronJob'), 'spec', 'jobTemplate', 'spec', 'template');
const containerOf = (manifests: readonly Manifest[]): unknown =>
  at(podOf(manifests), 'spec', 'containers', 0);
const argsOf = async (scan: object): Promise<readonly string[]> =>
  at(containerOf(await render({ scan: { enabled: true, ...scan } })), 'args') as readonly string[];

const ofScan = (manifests: readonly Manifest[]): readonly string[] =>
  namesOf(manifests.filter(({ metadata }) => metadata.name.includes('-scan')));

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const rightsOf = (role: Manifest): readonly string[] =>
  (role['rules'] as readonly Rule[]).flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${apiGroups[0]}/${resource}`)),
  );

describe('the scan', () => {
  it('is not there unless it is enabled, and no right of it either', async () => {
    const manifests = await render({ networkPolicy: { enabled: true } });
    expect(ofScan(manifests)).toEqual([]);
    expect(JSON.stringify(manifests)).not.toContain('scanResult');
  });

  it.each([
    { scan: { enabled: true, failOn: 'everything' }, why: 'failOn' },
    { scan: { enabled: true, mode: 'strict' }, why: 'mode' },
    { scan: { enabled: true, activeDeadlineSeconds: 0 }, why: 'activeDeadlineSeconds' },
    { scan: { enabled: true, schedule: '' }, why: 'schedule' },
    {
      scan: { enabled: true, serviceAccount: { create: false } },
      why: 'every pod of the namespace that names no account could list the cluster',
    },
    {
      scan: { enabled: true, serviceAccount: { name: 'sailmark' } },
      why: 'the webhook’s own account'.replace('’', "'"),
    },
  ])('is refused: $why', async ({ scan, why }) => {
    expect((await refusals({ scan })).join('\n')).toContain(why);
  });

  it('is a CronJob, its ConfigMap, an account and its rights', async () => {
    expect(ofScan(await render({ ...enabled, networkPolicy: { enabled: true } })).toSorted()).toEqual([
      'ClusterRole sailmark-scan',
      'ClusterRoleBinding sailmark-scan',
      'ConfigMap sailmark/sailmark-scan',
      'CronJob sailmark/sailmark-scan',
      'NetworkPolicy sailmark/sailmark-scan',
      'Role sailmark/sailmark-scan',
      'Role sailmark/sailmark-scan-result',
      'RoleBinding sailmark/sailmark-scan',
      'RoleBinding sailmark/sailmark-scan-result',
      'ServiceAccount sailmark/sailmark-scan',
    ]);
  });

  it('never runs twice at a time, and is not tried over and over', async () => {
    expect(manifestOf(await render(enabled), 'CronJob')['spec']).toMatchObject({
      schedule: '17 * * * *',
      concurrencyPolicy: 'Forbid',
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          activeDeadlineSeconds: 3600,
          template: { spec: { restartPolicy: 'Never', serviceAccountName: 'sailmark-scan' } },
        },
      },
    });
  });

  it('is told what to publish, and where the result is kept', async () => {
    const scan = 'scan --config /etc/sailmark/config.yaml';
    expect((await argsOf({})).join(' ')).toBe(
      `${scan} --mode enforce --fail-on none --keep sailmark/sailmark-scan --reports --events`,
    );
    const own = await argsOf({
      mode: 'audit',
      failOn: 'refused,drift',
      reports: { enabled: false },
      events: false,
      extraArgs: ['--timeout', '30s'],
    });
    expect(own.join(' ')).toBe(
      `${scan} --mode audit --fail-on refused,drift --keep sailmark/sailmark-scan --timeout 30s`,
    );
  });

  it('has the webhook’s policy, files and image, without its certificate', async () => {
    const manifests = await render({ ...corporate, ...enabled, evidence: { write: { kind: 'emptyDir' } } });
    const text = at(podOf(manifests), 'metadata', 'annotations', 'sailmark.dev/configuration') as string;
    const own = load(text) as Readonly<Record<string, unknown>>;
    const { server, kubernetes, evidence, ...policy } = load(configurationOf(manifests)) as typeof own;
    expect({ server, kubernetes, evidence }).toMatchObject({
      kubernetes: { scanResult: 'sailmark-scan' },
      evidence: { write: '/var/lib/sailmark' },
    });
    expect(own).toEqual({ ...policy, kubernetes: { namespace: 'sailmark', events: false, warmUp: '0s' } });
    const volumes = at(podOf(manifests), 'spec', 'volumes') as readonly { readonly name: string }[];
    expect(volumes.map(({ name }) => name)).toEqual([
      'config',
      'api',
      'files-authorities',
      'files-keys',
      'files-providers',
      'files-pull',
    ]);
    const mounts = at(containerOf(manifests), 'volumeMounts') as readonly { readonly name: string }[];
    expect(mounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
    const [deployed] = at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'spec', 'containers') as [
      object,
    ];
    for (const field of ['image', 'env', 'securityContext'])
      expect(at(containerOf(manifests), field)).toEqual(at(deployed, field));
  });

  it('has a configuration that can be read', async () => {
    const text = at(podOf(await render(enabled)), 'metadata', 'annotations', 'sailmark.dev/configuration');
    const read = () => Promise.reject(new Error('it names no file'));
    await expect(parseConfig(text as string, read)).resolves.toMatchObject({
      kubernetes: { namespace: 'sailmark' },
    });
  });

  it('is in no mesh, which would keep its Job from ending, and behind no Service', async () => {
    const manifests = await render(enabled);
    const labels = at(podOf(manifests), 'metadata', 'labels');
    expect(labels).toMatchObject({ 'sidecar.istio.io/inject': 'false', 'istio.io/dataplane-mode': 'none' });
    const [selector] = manifests
      .filter(({ kind }) => kind === 'Deployment')
      .map((deployment) => at(deployment, 'spec', 'selector', 'matchLabels'));
    expect(labels).not.toMatchObject(selector as object);
  });

  it('may list every kind that it reads, and writes nothing but reports and Events', async () => {
    const rights = rightsOf(manifestOf(await render(enabled), 'ClusterRole', 'sailmark-scan'));
    const others = ['pods', 'namespaces'].map((plural) => ({ group: '', plural }));
    const webhooks = ['validating', 'mutating'].map((kind) => ({
      group: 'admissionregistration.k8s.io',
      plural: `${kind}webhookconfigurations`,
    }));
    const read = [...others, ...webhooks, ...templateKinds, ...preflightKinds];
    expect(rights.filter((right) => right.startsWith('list ')).toSorted()).toEqual(
      [
        ...read.map(({ group, plural }) => `list ${group}/${plural}`),
        'list openreports.io/reports',
        'list wgpolicyk8s.io/policyreports',
      ].toSorted(),
    );
    expect(rights.filter((right) => !right.startsWith('list ')).toSorted()).toEqual(
      [
        'create events.k8s.io/events',
        ...['create', 'delete', 'get', 'update'].flatMap((verb) => [
          `${verb} openreports.io/reports`,
          `${verb} wgpolicyk8s.io/policyreports`,
        ]),
        'get /configmaps',
      ].toSorted(),
    );
    expect(rights.join('\n')).not.toMatch(/secrets|\*/);
  });

  it('has no right for what it does not write', async () => {
    const scan = { enabled: true, events: false, reports: { enabled: false } };
    const rights = rightsOf(manifestOf(await render({ scan }), 'ClusterRole', 'sailmark-scan'));
    expect(rights.filter((right) => !right.startsWith('list '))).toEqual(['get /configmaps']);
    const none = await render({ ...enabled, rbac: { create: false } });
    expect(ofScan(none).filter((name) => name.includes('Role'))).toEqual([]);
  });

  it('writes only its own ConfigMap, which the webhook only reads', async () => {
    const manifests = await render(enabled);
    const rulesOf = (name: string) => manifestOf(manifests, 'Role', name)['rules'];
    const rule = { apiGroups: [''], resources: ['configmaps'], resourceNames: ['sailmark-scan'] };
    expect(rulesOf('sailmark-scan')).toEqual([{ ...rule, verbs: ['get', 'patch'] }]);
    expect(rulesOf('sailmark-scan-result')).toEqual([{ ...rule, verbs: ['get', 'watch'] }]);
    const subjects = (name: string) => at(manifestOf(manifests, 'RoleBinding', name), 'subjects', 0, 'name');
    expect([subjects('sailmark-scan'), subjects('sailmark-scan-result')]).toEqual([
      'sailmark-scan',
      'sailmark',
    ]);
    expect(manifestOf(manifests, 'ConfigMap', 'sailmark-scan')).not.toHaveProperty('data');
  });

  it('reads registries with the pull secrets that the configuration names', async () => {
    const manifests = await render({ ...corporate, ...enabled });
    const binding = manifests.find(
      ({ kind, metadata }) => kind === 'RoleBinding' && metadata.namespace === 'apps',
    );
    expect(at(binding, 'subjects')).toMatchObject([{ name: 'sailmark' }, { name: 'sailmark-scan' }]);
  });

  it('runs where the webhook does, unless its own values say otherwise', async () => {
    const nodeSelector = { disk: 'ssd' };
    const tolerations = [{ key: 'a', operator: 'Exists' }];
    const inherited = await render({ ...enabled, nodeSelector, tolerations });
    expect(at(podOf(inherited), 'spec')).toMatchObject({
      nodeSelector: { ...nodeSelector, 'kubernetes.io/os': 'linux' },
      tolerations,
    });
    const own = {
      enabled: true,
      nodeSelector: { pool: 'batch' },
      affinity: { nodeAffinity: {} },
      timeZone: 'Europe/Berlin',
    };
    const placed = await render({ nodeSelector, tolerations, scan: { ...own, tolerations: [{ key: 'b' }] } });
    expect(at(podOf(placed), 'spec')).toMatchObject({
      nodeSelector: { pool: 'batch' },
      tolerations: [{ key: 'b' }],
      affinity: own.affinity,
    });
    expect(at(manifestOf(placed, 'CronJob'), 'spec', 'timeZone')).toBe('Europe/Berlin');
  });

  it('reaches registries and the API server, and is reached by nobody', async () => {
    const manifests = await render({ ...enabled, networkPolicy: { enabled: true } });
    const [ours, webhooks] = ['sailmark-scan', 'sailmark'].map((name) =>
      manifestOf(manifests, 'NetworkPolicy', name),
    );
    expect(at(ours, 'spec')).toMatchObject({ policyTypes: ['Ingress', 'Egress'], ingress: [] });
    expect(at(ours, 'spec', 'egress')).toEqual(at(webhooks, 'spec', 'egress'));
    expect(at(podOf(manifests), 'metadata', 'labels')).toMatchObject(
      at(ours, 'spec', 'podSelector', 'matchLabels') as object,
    );
  });
});
