import { describe, expect, it } from 'vitest';
import { corporate, DIGEST, exampleValues } from './example-values.ts';
import { at, containerOf, helm, type Manifest, manifestOf, REPOSITORY, render, withImage } from './helm.ts';

interface Context {
  readonly [key: string]: unknown;
}

interface PodSpec {
  readonly securityContext: Context;
  readonly containers: readonly {
    readonly securityContext: Context;
    readonly ports?: readonly { readonly hostPort?: number }[];
  }[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly [key: string]: unknown;
}

const specOf = (manifests: readonly Manifest[]): PodSpec =>
  at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'spec') as PodSpec;

const ALLOWED_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
  'image',
];

/** Violations of the Pod Security Standard "restricted" (kubernetes.io, pod-security-standards), in its words. */
const restricted = ({ securityContext, containers, volumes = [], ...spec }: PodSpec): readonly string[] => [
  ...['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => spec[key] === true),
  ...volumes.flatMap((volume) =>
    Object.keys(volume).filter((key) => key !== 'name' && !ALLOWED_VOLUMES.includes(key)),
  ),
  ...containers.flatMap(({ securityContext: own, ports = [] }) => [
    ...ports.flatMap(({ hostPort }) => (hostPort === undefined ? [] : ['hostPort'])),
    ...(own['allowPrivilegeEscalation'] === false ? [] : ['allowPrivilegeEscalation']),
    ...(own['privileged'] === true ? ['privileged'] : []),
    ...(JSON.stringify(own['capabilities']) === '{"drop":["ALL"]}' ? [] : ['capabilities']),
    ...((own['runAsNonRoot'] ?? securityContext['runAsNonRoot']) === true ? [] : ['runAsNonRoot']),
    ...((own['runAsUser'] ?? securityContext['runAsUser']) === 0 ? ['runAsUser'] : []),
    ...(at(own['seccompProfile'] ?? securityContext['seccompProfile'], 'type') === 'RuntimeDefault'
      ? []
      : ['seccompProfile']),
  ]),
];

describe('the pods', () => {
  it.each(exampleValues)(
    'are within the Pod Security Standard restricted: $name',
    async ({ name, values, release }) => {
      const manifests = await render(values, release);
      expect(restricted(specOf(manifests))).toEqual(name === 'the host network' ? ['hostNetwork'] : []);
      expect(restricted(manifestOf(manifests, 'Pod')['spec'] as PodSpec)).toEqual([]);
      for (const scan of manifests.filter(({ kind }) => kind === 'CronJob'))
        expect(restricted(at(scan, 'spec', 'jobTemplate', 'spec', 'template', 'spec') as PodSpec)).toEqual(
          [],
        );
    },
  );

  it('write to no root file system and take no environment from Services', async () => {
    const manifests = await render();
    for (const spec of [specOf(manifests), manifestOf(manifests, 'Pod')['spec'] as PodSpec]) {
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(spec.containers[0]?.securityContext['readOnlyRootFilesystem']).toBe(true);
    }
  });

  it('run as the image’s user; on OpenShift as whom the namespace says', async () => {
    const seccompProfile = { type: 'RuntimeDefault' };
    expect(specOf(await render()).securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile,
    });
    expect(specOf(await render({ openshift: true })).securityContext).toEqual({
      runAsNonRoot: true,
      seccompProfile,
    });
    expect(
      specOf(await render({ podSecurityContext: { runAsUser: null } })).securityContext,
    ).not.toHaveProperty('runAsUser');
  });

  it('have a token of the API only where it is asked anything', async () => {
    const hasToken = (manifests: readonly Manifest[]) =>
      JSON.stringify(specOf(manifests)).includes('serviceAccountToken');
    const provided = {
      mode: 'provided',
      provided: { secret: 'serving', caBundle: '-----BEGIN CERTIFICATE-----' },
    };
    const nothing = {
      certificates: provided,
      kubernetes: { events: false, warmUp: '0s' },
      evidence: { write: { kind: 'emptyDir' } },
      webhook: { activation: 'immediate' },
    };
    expect(hasToken(await render(nothing))).toBe(false);
    const pull = {
      registries: [{ host: 'registry.corp.example', credentials: { pullSecrets: ['apps/registry'] } }],
    };
    for (const values of [
      {},
      { ...nothing, kubernetes: { events: true, warmUp: '0s' } },
      { ...nothing, kubernetes: { events: false, warmUp: '500ms' } },
      { ...nothing, config: pull },
      { ...nothing, webhook: { activation: 'automatic' } },
      { ...nothing, evidence: { write: { kind: 'cluster' } } },
    ])
      expect(hasToken(await render(values))).toBe(true);
  });

  it('stay out of the mesh, whose certificates the API server does not have', async () => {
    const labels = at(
      manifestOf(await render({ podLabels: { 'sidecar.istio.io/inject': 'true' } }), 'Deployment'),
      'spec',
      'template',
      'metadata',
      'labels',
    );
    expect(labels).toMatchObject({ 'sidecar.istio.io/inject': 'false', 'istio.io/dataplane-mode': 'none' });
  });

  it('start what the image is, with the configuration', async () => {
    expect(containerOf(await render({ extraArgs: ['--help'] }))).toMatchObject({
      image: `${REPOSITORY}:0.1.0`,
      args: ['serve', '--config', '/etc/sailmark/config.yaml', '--help'],
      ports: [
        { name: 'https', containerPort: 8443, protocol: 'TCP' },
        { name: 'probes', containerPort: 8081, protocol: 'TCP' },
      ],
      startupProbe: { httpGet: { path: '/livez', port: 'probes' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 'probes' } },
      livenessProbe: { httpGet: { path: '/livez', port: 'probes' } },
    });
    expect(containerOf(await render())).not.toHaveProperty('command');
    expect(containerOf(await render({ image: { tag: '1', digest: DIGEST } }))).toMatchObject({
      image: `${REPOSITORY}@${DIGEST}`,
    });
  });

  it('mount what the configuration names, read only, and write in one place', async () => {
    const evidence = {
      read: { release: { image: { reference: 'registry.corp.example/evidence:1' } } },
      write: { kind: 'emptyDir' },
    };
    const manifests = await render({ ...corporate, evidence });
    const mounts = at(containerOf(manifests), 'volumeMounts') as readonly {
      readonly name: string;
      readonly mountPath: string;
      readonly readOnly?: boolean;
    }[];
    expect(mounts.map(({ mountPath, readOnly = false }) => [mountPath, readOnly])).toEqual([
      ['/etc/sailmark/config.yaml', true],
      ['/tls', true],
      ['/var/run/secrets/kubernetes.io/serviceaccount', true],
      ['/etc/sailmark/authorities', true],
      ['/etc/sailmark/keys', true],
      ['/etc/sailmark/providers', true],
      ['/etc/sailmark/pull', true],
      ['/evidence/release', true],
      ['/var/lib/sailmark', false],
    ]);
    const volumes = specOf(manifests).volumes ?? [];
    expect(new Set(volumes.map(({ name }) => name))).toEqual(new Set(mounts.map(({ name }) => name)));
    expect(volumes.find(({ name }) => name === 'files-pull')).toEqual({
      name: 'files-pull',
      secret: { secretName: 'registry-pull' },
    });
  });

  it.each([
    [{ kind: 'emptyDir', sizeLimit: '1Gi' }, { emptyDir: { sizeLimit: '1Gi' } }],
    [{ kind: 'persistentVolumeClaim' }, { persistentVolumeClaim: { claimName: 'sailmark-kept' } }],
    [
      { kind: 'persistentVolumeClaim', persistentVolumeClaim: { existingClaim: 'mine' } },
      { persistentVolumeClaim: { claimName: 'mine' } },
    ],
    [{ kind: 'none' }, undefined],
    [{ kind: 'cluster' }, undefined],
  ])('keep evidence where they are told: %j', async (write, volume) => {
    const kept = specOf(await render({ evidence: { write } })).volumes?.find(({ name }) => name === 'kept');
    expect(kept).toEqual(volume === undefined ? undefined : { name: 'kept', ...volume });
  });
});

describe('the Deployment', () => {
  it('has two replicas apart, and replaces none before its successor is ready', async () => {
    const deployment = manifestOf(await render(), 'Deployment');
    expect(deployment['spec']).toMatchObject({
      replicas: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
    const spread = at(
      deployment,
      'spec',
      'template',
      'spec',
      'topologySpreadConstraints',
    ) as readonly object[];
    const labelSelector = { matchLabels: at(deployment, 'spec', 'selector', 'matchLabels') };
    expect(spread).toEqual(
      ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector,
        matchLabelKeys: ['pod-template-hash'],
      })),
    );
    expect(at(manifestOf(await render(), 'PodDisruptionBudget'), 'spec')).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  it('has no CPU limit', async () => {
    expect(at(containerOf(await render()), 'resources')).toEqual({
      requests: { cpu: '100m', memory: '192Mi' },
      limits: { memory: '512Mi' },
    });
  });

  it('on the host network gives its port up before it is taken again, and resolves names of the cluster', async () => {
    const deployment = manifestOf(await render({ hostNetwork: true }), 'Deployment');
    expect(at(deployment, 'spec', 'strategy', 'rollingUpdate')).toEqual({ maxUnavailable: 1, maxSurge: 0 });
    expect(at(deployment, 'spec', 'template', 'spec')).toMatchObject({
      hostNetwork: true,
      dnsPolicy: 'ClusterFirstWithHostNet',
    });
  });

  it('has whole numbers as they are, past a million too', async () => {
    const numbers = {
      replicas: 1_000_000,
      minReadySeconds: 1_209_600,
      revisionHistoryLimit: 2_000_000,
      terminationGracePeriodSeconds: 1_209_600,
    };
    const values = JSON.stringify(
      withImage({ ...numbers, podSecurityContext: { runAsUser: 1_000_650_000 } }),
    );
    const { stdout } = await helm(['template', 'charts/sailmark', '--values', '-'], values);
    // As text: the API server takes no 1.2096e+06 for a whole number.
    for (const [key, number] of [...Object.entries(numbers), ['runAsUser', 1_000_650_000]])
      expect(stdout).toContain(`${key}: ${number}\n`);
  });

  it('takes a spread of one’s own as it is', async () => {
    const own = {
      topologyKey: 'rack',
      maxSkew: 2,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { a: 'b' } },
    };
    expect(specOf(await render({ topologySpreadConstraints: [own] }))['topologySpreadConstraints']).toEqual([
      own,
    ]);
  });
});
