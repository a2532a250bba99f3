import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultLimits } from '../../src/config/index.ts';
import { helm, REPOSITORY, type Release, refusals, render } from './helm.ts';

interface Refusal<Why> {
  readonly values: object;
  readonly release?: Release;
  readonly why: Why;
}

/** Values that the schema refuses, before anything is rendered. */
const unknown: readonly Refusal<string>[] = [
  { values: { mod: 'enforce' }, why: "'': additional properties 'mod' not allowed" },
  { values: { pin: 'warn' }, why: "'/pin': value must be one of 'enforce', 'always', 'never'" },
  { values: { config: { pin: 'always' } }, why: "'/config': additional properties 'pin' not allowed" },
  { values: { mode: 'block' }, why: "'/mode': value must be one of 'audit', 'warn', 'enforce'" },
  { values: { replicas: 'two' }, why: "'/replicas': got string, want null or integer" },
  { values: { config: { hub: [] } }, why: "'/config': additional properties 'hub' not allowed" },
  { values: { config: { server: {} } }, why: "'/config': additional properties 'server' not allowed" },
  { values: { config: { keys: [] } }, why: "'/config/keys': minItems: got 0, want 1" },
  {
    values: { config: { mirrors: [{ mirror: 'a.example/istio' }] } },
    why: "'/config/mirrors/0': missing property 'of'",
  },
  {
    values: { config: { limits: { drains: '1s' } } },
    why: "'/config/limits': additional properties 'drains' not allowed",
  },
  {
    values: { config: { limits: { drain: 15 } } },
    why: "'/config/limits/drain': maximum: got 15, want 0",
  },
  {
    values: { global: { imageRegistry: 'https://mirror.corp.example' } },
    why: "'/global/imageRegistry': 'https://mirror.corp.example' does not match pattern '^([^\\\\s:/@]+(:[0-9]+)?(/[^\\\\s:/@]+)*)?$'",
  },
  {
    values: { image: { repository: 'corp.example/sailmark:1.0' } },
    why: "'/image/repository': 'corp.example/sailmark:1.0' does not match pattern '^(([^\\\\s:/@]+(:[0-9]+)?/)?[^\\\\s:/@]+(/[^\\\\s:/@]+)*)?$'",
  },
  {
    values: { image: { tag: ':1' } },
    why: "'/image/tag': ':1' does not match pattern '^(\\\\w[\\\\w.-]{0,127})?$'",
  },
  {
    values: { podDisruptionBudget: { maxUnavailable: 'one' } },
    why: "'/podDisruptionBudget/maxUnavailable': 'one' does not match pattern '^[0-9]+%?$'",
  },
  {
    values: { podDisruptionBudget: { maxUnavailable: -1 } },
    why: "'/podDisruptionBudget/maxUnavailable': minimum: got -1, want 0",
  },
  {
    values: { config: { tagMemory: '10' } },
    why: "'/config/tagMemory': '10' does not match pattern '^(0|([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$'",
  },
  {
    values: { config: { limits: { reviewBytes: '24MB' } } },
    why: "'/config/limits/reviewBytes': '24MB' does not match pattern '^[0-9]{1,15}[KMG]iB?$'",
  },
  {
    values: { config: { limits: { redirects: '5' } } },
    why: "'/config/limits/redirects': got string, want integer",
  },
  {
    values: { extraEnv: [{ name: 'PORT', value: 8080 }] },
    why: "'/extraEnv/0/value': got number, want null or string",
  },
  {
    values: { extraEnv: [{ name: 'NODE_OPTIONS', value: 1 }] },
    why: "'/extraEnv/0/value': got number, want null or string",
  },
  { values: { extraEnv: [{ name: 1, value: 'a' }] }, why: "'/extraEnv/0/name': got number, want string" },
  {
    values: { extraInitContainers: [{ name: 'wait', env: [{ name: 'PORT', value: true }] }] },
    why: "'/extraInitContainers/0/env/0/value': got boolean, want null or string",
  },
  {
    values: { tolerations: [{ key: 'dedicated', value: true }] },
    why: "'/tolerations/0/value': got boolean, want null or string",
  },
  {
    values: { global: { imagePullSecrets: [{}] } },
    why: "'/global/imagePullSecrets/0': missing property 'name'",
  },
  {
    values: { global: { imagePullSecrets: [{ name: null }] } },
    why: "'/global/imagePullSecrets/0/name': got null, want string",
  },
  {
    values: { files: { keys: { configmap: {} } } },
    why: "'/files/keys': additional properties 'configmap' not allowed",
  },
  {
    values: { files: { keys: { configMap: {}, secret: {} } } },
    why: "'/files/keys': maxProperties: got 2, want 1",
  },
  {
    values: { files: { 'config.yaml': { configMap: {} } } },
    why: "'/files': additional properties 'config.yaml' not allowed",
  },
  { values: { webhook: { timeoutSeconds: 31 } }, why: "'/webhook/timeoutSeconds': maximum: got 31, want 30" },
  {
    values: { image: { digest: 'sha256:short' } },
    why: "'/image/digest': 'sha256:short' does not match pattern '^(sha256:[0-9a-f]{64})?$'",
  },
  {
    values: { certificates: { mode: 'manual' } },
    why: "'/certificates/mode': value must be one of 'self', 'cert-manager', 'provided'",
  },
  {
    values: { podSecurityContext: { runAsUser: 0 } },
    why: "'/podSecurityContext/runAsUser': minimum: got 0, want 1",
  },
];

const PEM = '-----BEGIN CERTIFICATE-----';
const claim = (accessMode: string, replicas: number) => ({
  replicas,
  evidence: { write: { kind: 'persistentVolumeClaim', persistentVolumeClaim: { accessMode } } },
});

/** Values that are refused only in combination. */
const impossible: readonly Refusal<RegExp>[] = [
  {
    values: { evidence: { read: { release: { image: { reference: 'registry.corp.example/evidence:1' } } } } },
    release: { kubernetes: '1.30.14' },
    why: /^evidence\.read\.release is an image, and Kubernetes v1\.30\.14 has no image volumes: /,
  },
  ...['', null].map((repository) => ({
    values: { image: { repository, tag: '1', digest: `sha256:${'a'.repeat(64)}` } },
    why: /^image\.repository is empty, and there is no default: build the image and push it .* docs\/install\.md .* such as registry\.corp\.example\/sailmark\.$/,
  })),
  {
    values: { image: { repository: '' }, global: { imageRegistry: 'mirror.corp.example' } },
    why: /^image\.repository is empty, /,
  },
  { values: { replicas: 0 }, why: /^replicas is 0: / },
  {
    values: {},
    release: { namespace: 'kube-system' },
    why: /^sailmark needs a namespace of its own, not kube-system: /,
  },
  { values: { listen: { webhook: 8081 } }, why: /^listen\.webhook and listen\.probes are both 8081: / },
  {
    values: { terminationGracePeriodSeconds: 30 },
    why: /^terminationGracePeriodSeconds is 30, and config\.limits\.drain \(15 s\) .* at least 50: /,
  },
  {
    values: { config: { limits: { drain: '1m30s500ms' } } },
    why: /^terminationGracePeriodSeconds is 60, and config\.limits\.drain \(91 s\) .* at least 126: /,
  },
  {
    values: { webhook: { pinTimeoutSeconds: 5 } },
    why: /^webhook\.pinTimeoutSeconds is 5, and config\.limits\.registrySilence \(3 s\), .* are 5: /,
  },
  {
    values: { config: { limits: { reviewMargin: '2s' } } },
    why: /^webhook\.pinTimeoutSeconds is 6, and .* config\.limits\.reviewMargin \(2 s\) and a second are 6: /,
  },
  {
    values: { webhook: { url: 'http://gate.example' } },
    why: /^webhook\.url must be https:\/\/host:port and nothing more/,
  },
  {
    values: { webhook: { url: 'https://gate.example/path' } },
    why: /^webhook\.url must be https:\/\/host:port and nothing more/,
  },
  {
    values: { serviceAccount: { create: false } },
    why: /^serviceAccount\.create is false and serviceAccount\.name is empty: /,
  },
  {
    values: { certificates: { mode: 'cert-manager' } },
    why: /^certificates\.mode is cert-manager, and this cluster has no API cert-manager\.io\/v1: /,
  },
  {
    values: { certificates: { mode: 'provided', provided: { caBundle: PEM } } },
    why: /^certificates\.mode is provided: name the Secret .* for sailmark\.sailmark\.svc in/,
  },
  {
    values: { certificates: { mode: 'provided', provided: { secret: 'serving' } } },
    why: /^certificates\.mode is provided, and nothing tells the API server which CA/,
  },
  {
    values: { certificates: { mode: 'provided', provided: { secret: 'serving', caBundle: 'TUlJQg==' } } },
    why: /^certificates\.provided\.caBundle must be PEM/,
  },
  {
    values: { certificates: { provided: { secret: 'serving' } } },
    why: /^certificates\.provided is set, and certificates\.mode is self: /,
  },
  {
    values: claim('ReadWriteOnce', 2),
    why: /^evidence\.write\.persistentVolumeClaim\.accessMode is ReadWriteOnce, and there are 2 replicas/,
  },
  {
    values: { evidence: { write: { persistentVolumeClaim: { existingClaim: 'kept' } } } },
    why: /^evidence\.write\.persistentVolumeClaim\.existingClaim is set, and evidence\.write\.kind is cluster: /,
  },
  {
    values: { config: { keys: [{ file: '/etc/sailmark/keys/corp.pub' }] } },
    why: /^config\.keys\[0\]\.file is \/etc\/sailmark\/keys\/corp\.pub, and files has no volume keys: /,
  },
  {
    values: { config: { registryDefaults: { caFile: '/etc/sailmark/ca/a.pem' } } },
    why: /^config\.registryDefaults\.caFile is \/etc\/sailmark\/ca\/a\.pem, and files has no volume ca: /,
  },
  { values: { config: { trustedRoot: '/etc/sailmark/trust/root.json' } }, why: /^config\.trustedRoot is / },
  ...[
    { key: 'caFile', caFile: '/etc/sailmark/ca/a.pem' },
    { key: 'credentials.dockerConfig', credentials: { dockerConfig: '/etc/sailmark/ca/a.json' } },
    {
      key: 'credentials.providers.config',
      credentials: { providers: { config: '/etc/sailmark/ca/a.yaml', binDir: '/etc/ssl/bin' } },
    },
    {
      key: 'credentials.providers.binDir',
      credentials: { providers: { config: '/etc/ssl/a.yaml', binDir: '/etc/sailmark/ca/bin' } },
    },
  ].map(({ key, ...more }) => ({
    values: { config: { registries: [{ host: 'registry.corp.example', ...more }] } },
    why: new RegExp(`^config\\.registries\\[0\\]\\.${key} is .*, and files has no volume ca: `),
  })),
];

describe('values that are refused', () => {
  it.each(unknown)('for what the schema says: $why', async ({ values, why }) => {
    expect(await refusals(values)).toEqual([why]);
  });

  it.each(impossible)('with a sentence: $why', async ({ values, release, why }) => {
    expect(await refusals(values, release)).toEqual([expect.stringMatching(why)]);
  });

  it('for everything at once', async () => {
    const values = { replicas: 0, terminationGracePeriodSeconds: 1, certificates: { mode: 'provided' } };
    expect(await refusals(values)).toHaveLength(4);
  });

  it('for a pod that would be killed while it drains, by our own default of the limit', async () => {
    const least = defaultLimits.drain / 1000 + 35;
    expect(await refusals({ terminationGracePeriodSeconds: least - 1 })).toHaveLength(1);
    expect(await render({ terminationGracePeriodSeconds: least })).not.toEqual([]);
  });

  it('for the image that the chart does not name, if nothing is set at all', async () => {
    const { code, stderr } = await helm([
      'template',
      'sailmark',
      'charts/sailmark',
      '--namespace',
      'sailmark',
    ]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /The chart cannot be installed with these values:\n {2}\* image\.repository is empty, [^\n]*\n/,
      ),
    ]);
  });

  it('but not once the chart names one by default, as a release does', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sailmark-released-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await cp('charts/sailmark', directory, { recursive: true });
    const values = await readFile(join(directory, 'values.yaml'), 'utf8');
    await writeFile(
      join(directory, 'values.yaml'),
      values.replace('repository: ""', `repository: ${REPOSITORY}`),
    );
    const { code, stdout, stderr } = await helm(['template', 'sailmark', directory]);
    expect([code, stderr, stdout.match(/(?<=^ +)image: .*/gm)]).toEqual([
      0,
      '',
      [`image: "${REPOSITORY}:0.1.0"`, `image: "${REPOSITORY}:0.1.0"`],
    ]);
  });

  it('on a cluster older than Kubernetes 1.30', async () => {
    const { code, stderr } = await helm([
      'template',
      'sailmark',
      'charts/sailmark',
      '--kube-version',
      '1.29.0',
    ]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('requires kubeVersion: >=1.30.0-0')]);
  });
});
