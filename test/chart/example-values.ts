import type { Release } from './helm.ts';

/** Values as users write them. All must render. */
export interface ExampleValues {
  readonly name: string;
  readonly values: object;
  readonly release?: Release;
}

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
export const DIGEST = `sha256:${'a'.repeat(64)}`;

/** The values of a company with its own mirror, keys, authorities and credentials. */
export const corporate = {
  files: {
    keys: { configMap: { name: 'corp-keys' } },
    authorities: { configMap: { name: 'corp-authorities' } },
    pull: { secret: { secretName: 'registry-pull' } },
    providers: { image: { reference: 'registry.corp.example/providers:1' } },
  },
  config: {
    keys: [
      { istio: 'release' },
      { file: '/etc/sailmark/keys/corp.pub', for: ['registry.corp.example:5000/istio'] },
    ],
    mirrors: [
      {
        mirror: 'registry.corp.example:5000/istio',
        of: 'docker.io/istio',
        components: { 'mesh-a': 'proxyv2' },
      },
    ],
    registries: [
      {
        host: 'registry.corp.example:5000',
        caFile: '/etc/sailmark/authorities/ca.pem',
        credentials: {
          dockerConfig: '/etc/sailmark/pull/.dockerconfigjson',
          pullSecrets: ['istio-system/registry', 'istio-system/other', 'apps/registry'],
          providers: { config: '/etc/sailmark/providers/config.yaml', binDir: '/etc/sailmark/providers/bin' },
        },
      },
    ],
    registryDefaults: { caFile: '/etc/sailmark/authorities/ca.pem' },
    revoked: [{ digest: DIGEST, reason: 'stolen key' }],
    exemptions: [
      {
        images: ['quay.io/legacy/proxyv2:1.11.*'],
        namespaces: ['legacy'],
        reason: 'migrating',
        owner: 'team-a',
        expires: '2027-03-01',
      },
    ],
    limits: { rejectedEntries: 1_000_000, reviewBytes: '32MiB' },
  },
};

export const exampleValues: readonly ExampleValues[] = [
  { name: 'none', values: {} },
  { name: 'warn', values: { mode: 'warn' } },
  { name: 'enforce', values: { mode: 'enforce' } },
  {
    name: 'enforce, weaker labels, guarded',
    values: { mode: 'enforce', modes: { allowWeakerLabels: true, guard: { enabled: true } } },
  },
  { name: 'another name and namespace', values: {}, release: { name: 'gate', namespace: 'platform' } },
  { name: 'a full name', values: { fullnameOverride: 'gate' } },
  { name: 'a scan', values: { scan: { enabled: true } } },
  {
    name: 'cert-manager',
    values: { certificates: { mode: 'cert-manager' } },
    release: { apis: ['cert-manager.io/v1'] },
  },
  {
    name: 'cert-manager with an issuer, by URL',
    values: {
      webhook: { url: 'https://10.0.0.1:8443' },
      certificates: {
        mode: 'cert-manager',
        certManager: { issuerRef: { name: 'corp', kind: 'ClusterIssuer' } },
      },
    },
    release: { apis: ['cert-manager.io/v1'] },
  },
  {
    name: 'a provided certificate',
    values: { certificates: { mode: 'provided', provided: { secret: 'serving', caBundle: PEM } } },
  },
  {
    name: 'OpenShift, with its own service CA',
    values: {
      openshift: true,
      certificates: { mode: 'provided', provided: { secret: 'serving' } },
      service: { annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'serving' } },
      webhook: { annotations: { 'service.beta.openshift.io/inject-cabundle': 'true' } },
    },
  },
  {
    name: 'nothing of the API',
    values: {
      certificates: { mode: 'provided', provided: { secret: 'serving', caBundle: PEM } },
      kubernetes: { events: false, warmUp: '0s' },
      evidence: { write: { kind: 'none' } },
    },
  },
  {
    name: 'by URL',
    values: {
      webhook: { url: 'https://gate.corp.example:8443' },
      certificates: { self: { extraNames: ['10.0.0.1'] } },
    },
  },
  { name: 'a corporate mirror', values: corporate },
  {
    name: 'the network policy',
    values: { ...corporate, networkPolicy: { enabled: true, extraEgress: [{ ports: [{ port: 3128 }] }] } },
  },
  {
    name: 'evidence from and to volumes',
    values: {
      evidence: {
        read: {
          release: { image: { reference: 'registry.corp.example/evidence:1' } },
          shared: { persistentVolumeClaim: { claimName: 'evidence' } },
        },
        write: { kind: 'persistentVolumeClaim' },
      },
    },
  },
  {
    name: 'evidence on a claim of its own',
    values: {
      evidence: {
        write: { kind: 'persistentVolumeClaim', persistentVolumeClaim: { existingClaim: 'kept' } },
      },
    },
  },
  { name: 'no evidence', values: { evidence: { write: { kind: 'none' } } } },
  { name: 'the host network', values: { hostNetwork: true, listen: { webhook: 18443, probes: 18081 } } },
  {
    name: 'IPv6',
    values: {
      listen: { address: '::' },
      service: { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6', 'IPv4'] },
    },
  },
  { name: 'one replica', values: { replicas: 1, podDisruptionBudget: { enabled: false } } },
  {
    name: 'extras',
    values: {
      image: { digest: DIGEST },
      imagePullSecrets: [{ name: 'pull' }],
      commonLabels: { team: 'platform' },
      commonAnnotations: { owner: 'platform' },
      podLabels: { tier: 'gate' },
      podAnnotations: { 'prometheus.io/scrape': 'true' },
      deploymentAnnotations: { 'reloader.example/auto': 'true' },
      extraArgs: ['--help'],
      extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.corp.example:3128' }],
      extraEnvFrom: [{ configMapRef: { name: 'proxy' } }],
      extraVolumes: [{ name: 'more', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'more', mountPath: '/more' }],
      affinity: { nodeAffinity: {} },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ operator: 'Exists' }],
      priorityClassName: 'system-cluster-critical',
      runtimeClassName: 'gvisor',
      dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
      strategy: { type: 'Recreate' },
      metrics: {
        serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
        prometheusRule: {
          enabled: true,
          labels: { release: 'prometheus' },
          runbookUrl: 'https://docs.corp.example/runbook',
        },
        dashboard: { enabled: true, annotations: { grafana_folder: 'Security' } },
      },
      serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/pull' } },
    },
  },
];
