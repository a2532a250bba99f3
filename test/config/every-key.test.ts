import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeConfig, limitTable, parseConfig } from '../../src/config/index.ts';
import { configurationSchema } from '../../src/config/schema/configuration-schema.ts';
import { releaseKeys } from '../../src/istio/index.ts';
import { fixturePath } from '../support/fixtures.ts';
import { createTls } from '../support/tls.ts';
import { filesOf } from './parse.ts';

/*
 * The schema promises that no key is ignored. For every key of the schema, at every depth, two files that differ in
 * that key alone must be read as two configurations, and be described as two. A new key of the schema is tested
 * without a change here; it needs a row in VALUES only if its values cannot be derived from its schema.
 */

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}
interface Key {
  /** `mirrors[].of`. */
  readonly path: string;
  readonly schema: Schema;
}
type Json = Readonly<Record<string, unknown>>;

const keysOf = (schema: Schema, path = ''): readonly Key[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return [{ path: at, schema: member }, ...keysOf(member, at), ...keysOf(member.items ?? {}, `${at}[]`)];
  });

const { ca } = createTls();
const root = readFileSync(fixturePath('cosign/keys/trusted_root.json'), 'utf8');
const providers = (name: string): string =>
  JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1',
    kind: 'CredentialProviderConfig',
    providers: [
      {
        name,
        apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
        matchImages: ['r.example'],
        defaultCacheDuration: '1h',
      },
    ],
  });
const FILES = {
  '/a.pem': ca,
  '/b.pem': createTls().ca,
  '/a.json': root,
  '/b.json': root,
  '/a-docker.json': '{}',
  '/b-docker.json': '{}',
  '/a.yaml': providers('a'),
  '/b.yaml': providers('b'),
};
const PEM =
  releaseKeys.flatMap(({ location }) => (location.kind === 'built-in' ? [location.text] : []))[0] ?? '';

const HEAD = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
const MIRROR = { mirror: 'm.example/istio', of: 'docker.io/istio' };
/** A file with every list and every object of the schema. Keys that exclude each other are in two entries. */
const BASE: Json = {
  ...HEAD,
  keys: [
    { file: '/a.pub', for: ['docker.io/istio'] },
    { url: 'https://a.example/k', sha256: 'a'.repeat(64) },
    { inline: PEM },
  ],
  hubs: ['a.example/istio'],
  mirrors: [{ ...MIRROR, components: { 'mesh-a': 'proxyv2' } }],
  registries: [
    {
      host: 'a.example',
      caFile: '/a.pem',
      credentials: {
        dockerConfig: '/a-docker.json',
        providers: { config: '/a.yaml', binDir: '/bin' },
        pullSecrets: ['a/b'],
      },
    },
    { host: 'b.example', endpoint: 'c.example' },
    { host: 'd.example', plainHTTP: true },
  ],
  registryDefaults: { caFile: '/a.pem' },
  transparencyLog: 'require',
  trustedRoot: '/a.json',
  undetermined: { enforce: 'deny' },
  revoked: [{ digest: `sha256:${'a'.repeat(64)}`, reason: 'a' }],
  exemptions: [
    { images: ['docker.io/istio/pilot'], namespaces: ['a'], reason: 'a', owner: 'a', expires: '2027-03-01' },
  ],
  evidence: { read: ['/a'], write: '/c' },
  limits: { drain: '1m' },
  server: { listen: 'a:1', certificate: { cert: '/a', key: '/a' }, log: { level: 'warn' } },
  kubernetes: {
    namespace: 'a',
    certificates: {
      secret: 'a',
      webhookConfiguration: 'a',
      mutatingWebhookConfiguration: 'a',
      dnsNames: ['a'],
      caLifetime: '10h',
      lifetime: '1h',
      overlap: '1m',
    },
    activation: { webhookConfiguration: 'a' },
    evidence: { tags: 'a', images: ['c'] },
  },
};

/** The value of a key that is left out. */
const ABSENT = undefined;

/** Two values of a key whose schema alone does not say which values are accepted. */
const VALUES: Readonly<Record<string, readonly [unknown, unknown]>> = {
  keys: [[{ file: '/a' }], [{ file: '/b' }]],
  'keys[].inline': [PEM, `${PEM}\n`],
  'keys[].url': ['https://a.example/k', 'https://b.example/k'],
  'keys[].sha256': ['a'.repeat(64), 'b'.repeat(64)],
  'keys[].for': [['docker.io/istio'], ['m.example/istio']],
  hubs: [['a.example/istio'], ['b.example/istio']],
  mirrors: [[MIRROR], []],
  'mirrors[].mirror': ['m.example/istio', 'n.example/istio'],
  'mirrors[].of': ['docker.io/istio', 'gcr.io/istio-testing'],
  'mirrors[].signatures': ['hub', 'm.example/signatures'],
  'registries[].caFile': ['/a.pem', '/b.pem'],
  'registries[].host': ['a.example', 'z.example'],
  'registries[].endpoint': ['c.example', 'd.example/hub'],
  'registries[].tokenRealms': [['a.example'], ['b.example']],
  'registries[].credentials.dockerConfig': ['/a-docker.json', '/b-docker.json'],
  'registries[].credentials.providers.config': ['/a.yaml', '/b.yaml'],
  'registries[].credentials.pullSecrets': [['a/b'], ['a/c']],
  'registryDefaults.caFile': ['/a.pem', '/b.pem'],
  trustedRoot: ['/a.json', '/b.json'],
  'revoked[].digest': [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`],
  'exemptions[].images': [['docker.io/istio/pilot'], ['docker.io/istio/proxyv2']],
  'exemptions[].expires': ['2027-03-01', '2027-03-02'],
  'server.listen': ['a:1', 'a:2'],
  'server.probes': ['a:3', 'a:4'],
  'kubernetes.evidence': [
    { tags: 'a', images: ['c'] },
    { tags: 'b', images: ['c'] },
  ],
  'kubernetes.certificates.caLifetime': ['10h', '11h'],
  'kubernetes.certificates.lifetime': ['1h', '2h'],
  'kubernetes.certificates.overlap': ['1m', '2m'],
  ...Object.fromEntries(
    limitTable.map(({ name, unit, min, max }) => [`limits.${name}`, quantities(unit, min, max)]),
  ),
};

function quantities(unit: string, min: number, max: number): readonly [unknown, unknown] {
  return unit === 'milliseconds' ? [`${min}ms`, `${max}ms`] : [min, max];
}

/** Two whole files, for a key that cannot be changed without another. */
const FILE_PAIRS: Readonly<Record<string, readonly [Json, Json]>> = {
  'keys[].istio': [
    { ...HEAD, keys: [{ istio: 'release' }] },
    { ...HEAD, keys: [{ file: '/a' }] },
  ],
  replaceHubs: [
    { ...HEAD, hubs: ['a.example/istio'] },
    { ...HEAD, hubs: ['a.example/istio'], replaceHubs: true },
  ],
  transparencyLog: [HEAD, { ...HEAD, transparencyLog: 'require' }],
};

/** Keys with one value, which names the format: they are checked, and cannot change anything. */
const FORMAT: readonly string[] = ['apiVersion', 'kind'];

/** Two values derived from the schema of a key. A list or an object is left out in one of them. */
const valuesOf = ({ path, schema }: Key, present: unknown): readonly [unknown, unknown] => {
  const values = VALUES[path];
  if (values !== undefined) return values;
  if (schema.enum !== undefined) return [schema.enum[0], schema.enum[1]];
  if (schema.type === 'boolean') return [true, false];
  if (schema.type === 'object' || schema.items?.type === 'object') return [present ?? {}, ABSENT];
  if (schema.type === 'array') return [present ?? ['a'], ['b']];
  return Array.isArray(schema.type) ? ['50s', '1m'] : ['a', 'b'];
};

/** The object of a file that has the key, or may have it. In a list: the first entry that has it, or else the first. */
const ownerOf = (file: Record<string, unknown>, path: readonly string[]): Record<string, unknown> => {
  const [step = '', ...rest] = path;
  if (rest.length === 0) return file;
  if (!step.endsWith('[]')) return ownerOf((file[step] ??= {}) as Record<string, unknown>, rest);
  const entries = (file[step.slice(0, -2)] ??= [{}]) as readonly Record<string, unknown>[];
  const holder = entries.find((entry) => Object.hasOwn(entry, rest[0] ?? '')) ?? entries[0] ?? {};
  return ownerOf(holder, rest);
};

const withValue = (path: string, choose: (present: unknown) => unknown): Json => {
  const file = structuredClone(BASE) as Record<string, unknown>;
  const steps = path.split('.');
  const owner = ownerOf(file, steps);
  const name = steps.at(-1) ?? '';
  owner[name] = choose(owner[name]);
  if (owner[name] === ABSENT) delete owner[name];
  return file;
};

const filesFor = (key: Key): readonly [Json, Json] =>
  FILE_PAIRS[key.path] ?? [
    withValue(key.path, (present) => valuesOf(key, present)[0]),
    withValue(key.path, (present) => valuesOf(key, present)[1]),
  ];

/** The configuration of a file, and its description; most pairs have a file in common, and reading one takes long. */
const results = new Map<string, Promise<readonly [config: string, description: string]>>();
const read = (file: Json): Promise<readonly [config: string, description: string]> => {
  const text = JSON.stringify(file);
  const result =
    results.get(text) ??
    parseConfig(text, filesOf(FILES)).then(
      (config) => [JSON.stringify(config), describeConfig(config)] as const,
    );
  results.set(text, result);
  return result;
};

/** One line for each thing in which two files that differ in the key are the same. */
const ignoredIn = async (key: Key): Promise<readonly string[]> => {
  const [file, other] = filesFor(key);
  try {
    const [[config, description], [otherConfig, otherDescription]] = [await read(file), await read(other)];
    return [
      ...(config === otherConfig ? [`${key.path} changes nothing in the configuration`] : []),
      ...(description === otherDescription ? [`${key.path} changes nothing in its description`] : []),
    ];
  } catch (error) {
    return [`${key.path} needs two values in VALUES that are accepted: ${String(error)}`];
  }
};

const keys = keysOf(configurationSchema).filter(({ path }) => !FORMAT.includes(path));

describe('every key of the schema', () => {
  it('is found, at every depth', () => {
    expect(keys.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['keys[].for', 'registries[].credentials.providers.binDir', 'limits.drain']),
    );
  });

  it('changes the configuration and its description', async () => {
    expect((await Promise.all(keys.map(ignoredIn))).flat()).toEqual([]);
  });
});
