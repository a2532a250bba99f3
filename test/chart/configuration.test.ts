import { mkdtemp, readdir, readFile as readText, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultConfig, parseConfig } from '../../src/config/index.ts';
import { matchConfiguration } from '../support/match-condition-cases.ts';
import { runCli } from '../support/run-cli.ts';
import { createTls } from '../support/tls.ts';
import { entriesOf } from './entries.ts';
import { corporate, exampleValues } from './example-values.ts';
import { at, configurationOf, manifestOf, render } from './helm.ts';

const PROVIDERS = `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: corp
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["registry.corp.example"]
  defaultCacheDuration: 1m
`;

/** The files in the volumes of the example values. */
const files: Readonly<Record<string, string>> = {
  '/etc/sailmark/authorities/ca.pem': createTls().ca,
  '/etc/sailmark/pull/.dockerconfigjson': '{"auths":{}}',
  '/etc/sailmark/providers/config.yaml': PROVIDERS,
};

const readFile = async (path: string): Promise<string> => {
  const text = files[path];
  if (text === undefined) throw new Error(`no such file: ${path}`);
  return text;
};

const configured = async (values: object) => parseConfig(configurationOf(await render(values)), readFile);

describe('the configuration of a release', () => {
  it.each(exampleValues)('is one that serve reads: $name', async ({ values, release }) => {
    const text = configurationOf(await render(values, release));
    await expect(parseConfig(text, readFile)).resolves.toHaveProperty('server');
  });

  it('is our default where the values say nothing, with the release’s own places', async () => {
    expect(await configured({})).toEqual({
      ...defaultConfig,
      rules: { ...defaultConfig.rules, pin: 'enforce' },
      kubernetes: {
        namespace: 'sailmark',
        certificates: {
          secret: 'sailmark-certificates',
          webhookConfiguration: 'sailmark',
          mutatingWebhookConfiguration: 'zz-sailmark',
          dnsNames: ['sailmark.sailmark.svc', 'sailmark.sailmark.svc.cluster.local'],
          caLifetime: 8760 * 3_600_000,
          lifetime: 720 * 3_600_000,
          overlap: 600_000,
        },
        activation: { webhookConfiguration: 'sailmark' },
        evidence: {
          tags: 'sailmark-evidence-tags',
          images: [0, 1, 2, 3].map((index) => `sailmark-evidence-${index}`),
        },
        events: true,
        warmUp: 5000,
      },
    });
  });

  it.each([
    ['cluster', undefined, true],
    ['emptyDir', '/var/lib/sailmark', false],
    ['persistentVolumeClaim', '/var/lib/sailmark', false],
    ['none', undefined, false],
  ])('stores evidence where the values say: %s', async (kind, write, isShared) => {
    const { evidence, kubernetes } = await configured({ evidence: { write: { kind } } });
    expect([evidence.write, kubernetes?.evidence !== undefined]).toEqual([write, isShared]);
  });

  it('names the ConfigMaps that the chart creates without data, whatever the release is called', async () => {
    const manifests = await render({}, { name: 'gate', namespace: 'platform' });
    const { kubernetes } = await parseConfig(configurationOf(manifests), readFile);
    const { tags = '', images = [] } = kubernetes?.evidence ?? {};
    const created = manifests.filter(({ metadata }) => [tags, ...images].includes(metadata.name));
    expect(created.map((one) => [one.kind, one.metadata.namespace, 'data' in one])).toEqual(
      Array.from({ length: 5 }, () => ['ConfigMap', 'platform', false]),
    );
  });

  it('says what the values say: numbers past a million, dates without quotes', async () => {
    const { limits, rules, registries } = await configured(corporate);
    expect([limits.rejectedEntries, limits.reviewBytes]).toEqual([1_000_000, 32 * 2 ** 20]);
    expect(rules.exemptions[0]?.expires).toBe('2027-03-01');
    expect(registries[0]?.pullSecrets).toEqual([
      { namespace: 'istio-system', name: 'registry' },
      { namespace: 'istio-system', name: 'other' },
      { namespace: 'apps', name: 'registry' },
    ]);
  });

  it('has the host of the webhook’s URL and further names in the certificate', async () => {
    const names = async (url: string) =>
      (
        await configured({ webhook: { url }, certificates: { self: { extraNames: ['gate.corp.example'] } } })
      ).kubernetes?.certificates?.dnsNames.slice(2);
    expect(await names('https://10.0.0.1:8443')).toEqual(['10.0.0.1', 'gate.corp.example']);
    expect(await names('https://[fd00::1]:8443')).toEqual(['fd00::1', 'gate.corp.example']);
  });

  it('asks nothing of the API where no value wants anything of it', async () => {
    const values = {
      certificates: {
        mode: 'provided',
        provided: { secret: 'serving', caBundle: '-----BEGIN CERTIFICATE-----' },
      },
      kubernetes: { events: false, warmUp: '0s' },
      evidence: { write: { kind: 'none' } },
      webhook: { activation: 'immediate' },
    };
    expect((await configured(values)).kubernetes).toBeUndefined();
    expect((await configured({ ...values, kubernetes: { events: true, warmUp: '0s' } })).kubernetes).toEqual({
      namespace: 'sailmark',
      events: true,
      warmUp: 0,
    });
  });
});

describe('the configuration file', () => {
  it('is part of the pods, so that a replica of the rollout before keeps its own, and nothing is looked up or pruned', async () => {
    const manifests = await render(corporate);
    const pod = at(manifestOf(manifests, 'Deployment'), 'spec', 'template') as {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: { readonly volumes: readonly { readonly name: string }[] };
    };
    expect(pod.spec.volumes.find(({ name }) => name === 'config')).toEqual({
      name: 'config',
      downwardAPI: {
        items: [
          {
            path: 'config.yaml',
            fieldRef: {
              apiVersion: 'v1',
              fieldPath: "metadata.annotations['sailmark.dev/configuration']",
            },
          },
        ],
      },
    });
    expect(manifests.filter((manifest) => manifest.kind === 'ConfigMap' && 'data' in manifest)).toEqual([]);
  });

  it('changes the pods with each content, and is nothing that an annotation of the values replaces', async () => {
    const of = async (values: object) => configurationOf(await render(values));
    const texts = await Promise.all(
      [
        {},
        { config: { requireDigest: true } },
        { log: { level: 'debug' } },
        { kubernetes: { events: false } },
        { pin: 'never' },
      ].map(of),
    );
    expect(new Set(texts).size).toBe(5);
    const stolen = { 'sailmark.dev/configuration': 'stolen' };
    expect(await of({ podAnnotations: stolen, commonAnnotations: stolen })).toBe(texts[0]);
  });
});

describe('the templates', () => {
  it('look nothing up in the cluster: what they render depends on the values alone', async () => {
    const templates = await readdir('charts/sailmark/templates', { recursive: true, withFileTypes: true });
    const paths = templates
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const texts = await Promise.all(paths.map((file) => readText(file, 'utf8')));
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((_, index) => /\blookup\s/.test(texts[index] ?? ''))).toEqual([]);
  });
});

describe('the match conditions', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sailmark-chart-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each([
    { name: 'no values', config: {} },
    { name: 'places without a word of Istio’s', config: matchConfiguration },
    {
      name: 'a mirror of Istio’s name and a revoked digest',
      config: { mirrors: corporate.config.mirrors, revoked: corporate.config.revoked },
    },
    {
      name: "Istio's hub replaced by itself, one of its names a mirror, and one listed twice",
      config: {
        replaceHubs: true,
        hubs: ['istio', 'registry.corp.example/istio', 'index.docker.io/corp/istio'],
        mirrors: [{ mirror: 'gcr.io/istio-testing', of: 'docker.io/istio' }],
      },
    },
    {
      name: 'hubs replaced',
      config: { replaceHubs: true, hubs: ['docker.io/corp/mesh', 'localhost/mesh', 'mesh.example/a.b'] },
    },
  ])('are what sailmark match-conditions prints for the same configuration: $name', async ({ config }) => {
    const manifests = await render({ config });
    const path = join(directory, 'config.yaml');
    await writeFile(path, configurationOf(manifests));
    const { code, stdout } = await runCli(['match-conditions', '--config', path, '--output', 'json']);
    expect(code).toBe(0);
    const { matchConditions } = JSON.parse(stdout) as { matchConditions: unknown };
    const entries = await entriesOf({ config });
    expect(entries.map((entry) => entry.matchConditions)).toEqual(
      Array.from({ length: 4 }, () => matchConditions),
    );
  });
});
