import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type Config,
  ConfigError,
  defaultConfig,
  describeConfig,
  loadConfig,
  parseConfig,
} from '../../src/config/index.ts';
import { builtInHubs, releaseKeys } from '../../src/istio/index.ts';
import { fixturePath } from '../support/fixtures.ts';
import { createTls } from '../support/tls.ts';
import { filesOf, parse } from './parse.ts';

const { ca } = createTls();
const PIN = 'AB'.repeat(32);
const DIGEST = `sha256:${'0a'.repeat(32)}`;
const PUBLIC_KEY =
  releaseKeys.flatMap(({ location: place }) => (place.kind === 'built-in' ? [place.text] : []))[0] ?? '';

const WHOLE = `
keys:
- istio: release
- {file: /keys/corp.pub, for: [REGISTRY.corp.example/istio, istio, gcr.io/istio-release]}
- {url: https://example.com/key.pub?token=word, sha256: ${PIN}}
- inline: ${JSON.stringify(PUBLIC_KEY)}
requirePinnedKeys: false
hubs: [docker.io/istio, hub.example/mesh]
mirrors:
- {mirror: registry.corp.example/istio, of: docker.io/istio, signatures: mirror}
- {mirror: registry.corp.example/mesh, of: hub.example/mesh, components: {mesh-a: proxyv2}, signatures: mirror-then-hub}
- {mirror: other.example/istio, of: istio, signatures: Other.example/signatures}
registries:
- {host: Harbor.corp.example:8443, caFile: /ca.pem, tokenRealms: [SSO.corp.example], credentials: {dockerConfig: /docker.json}}
- {host: localhost:5000, plainHTTP: true}
transparencyLog: require
trustedRoot: /root.json
undetermined: {enforce: deny, critical: allow, tagOutageWindow: 0}
lookAlikes: warn
unrecognised: deny
requireDigest: true
pin: always
revoked: [{digest: "${DIGEST}", reason: leaked}]
exemptions:
- {images: ["registry.corp.example/istio/proxyv2:1.11.*"], namespaces: [legacy], reason: old, owner: me, expires: 2027-03-01}
- {images: [docker.io/istio/pilot], namespaces: ["*"], reason: all, owner: me, expires: "2027-03-02"}
evidence: {read: [/evidence, /more], write: /var/lib/sailmark}
tagMemory: 0
limits: {reviewBytes: 8MiB, drain: 1m, redirects: 0}
server:
  listen: "[::1]:9443"
  probes: localhost:0
  certificate: {cert: /c, key: /k}
  log: {format: text}
`;
const root = readFileSync(fixturePath('cosign/keys/trusted_root.json'), 'utf8');
const FILES = { '/ca.pem': ca, '/docker.json': '{"auths":{}}', '/root.json': root };

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozen));

const withoutQueries = (config: Config): unknown =>
  JSON.parse(
    JSON.stringify(config)
      .replaceAll('?token=word', '?…')
      .replaceAll(/keys\[\d+\]\.inline/g, ''),
  );

describe('a configuration', () => {
  it('is the defaults where there is no file, and where a file says nothing', async () => {
    expect(await loadConfig({ readFile: filesOf({}) })).toBe(defaultConfig);
    expect(await parse('')).toEqual(defaultConfig);
    expect(defaultConfig).toMatchObject({
      keys: releaseKeys,
      places: { hubs: builtInHubs, mirrors: [] },
      tagMemory: 10_000,
      rules: {
        undetermined: {
          enforce: 'allow-verified-tag',
          critical: 'allow-verified-tag',
          tagOutageWindow: 86_400_000,
        },
        lookAlikes: 'deny',
        unrecognised: 'warn',
        requireDigest: false,
        pin: 'never',
      },
    });
  });

  it('has everything a file says, in normal form', async () => {
    const config = await parse(WHOLE, FILES);
    const [release, second] = releaseKeys;
    expect(config).toEqual({
      ...defaultConfig,
      keys: [
        release,
        second,
        {
          location: { kind: 'file', path: '/keys/corp.pub' },
          for: ['registry.corp.example/istio', 'docker.io/istio', 'gcr.io/istio-release'],
        },
        {
          location: {
            kind: 'url',
            url: 'https://example.com/key.pub?token=word',
            spkiSha256: PIN.toLowerCase(),
          },
        },
        { location: { kind: 'inline', name: 'keys[3].inline', text: PUBLIC_KEY } },
      ],
      places: {
        hubs: [...builtInHubs, 'hub.example/mesh'],
        mirrors: [
          { mirror: 'registry.corp.example/istio', of: 'docker.io/istio' },
          {
            mirror: 'registry.corp.example/mesh',
            of: 'hub.example/mesh',
            components: { 'mesh-a': 'proxyv2' },
            signatures: 'mirror-then-hub',
          },
          { mirror: 'other.example/istio', of: 'docker.io/istio', signatures: 'other.example/signatures' },
        ],
      },
      registries: [
        {
          host: 'harbor.corp.example:8443',
          caFile: '/ca.pem',
          ca,
          tokenRealms: ['sso.corp.example'],
          dockerConfig: '/docker.json',
        },
        { host: 'localhost:5000', plainHttp: true },
      ],
      rules: {
        undetermined: { enforce: 'deny', critical: 'allow', tagOutageWindow: 0 },
        lookAlikes: 'warn',
        unrecognised: 'deny',
        requireDigest: true,
        pin: 'always',
        revoked: [{ digest: DIGEST, reason: 'leaked' }],
        exemptions: [
          {
            images: ['registry.corp.example/istio/proxyv2:1.11.*'],
            namespaces: ['legacy'],
            reason: 'old',
            owner: 'me',
            expires: '2027-03-01',
          },
          {
            images: ['docker.io/istio/pilot'],
            namespaces: ['*'],
            reason: 'all',
            owner: 'me',
            expires: '2027-03-02',
          },
        ],
      },
      evidence: { read: ['/evidence', '/more'], write: '/var/lib/sailmark' },
      transparencyLog: 'require',
      trustedRoot: { path: '/root.json', logs: expect.any(Array) },
      tagMemory: 0,
      limits: { ...defaultConfig.limits, reviewBytes: 8 * 1024 * 1024, drain: 60_000, redirects: 0 },
      server: {
        listen: { host: '::1', port: 9443 },
        probes: { host: 'localhost', port: 0 },
        certificate: { cert: '/c', key: '/k' },
        log: { level: 'info', format: 'text' },
      },
    });
  });

  it('may be JSON', async () => {
    const text = JSON.stringify({
      apiVersion: 'sailmark.dev/v1alpha1',
      kind: 'Configuration',
      tagMemory: '1s',
    });
    expect((await parseConfig(text, filesOf({}))).tagMemory).toBe(1000);
    expect((await parseConfig(`\uFEFF${text}`, filesOf({}))).tagMemory).toBe(1000);
  });

  it('replaces the hubs where it is told to', async () => {
    expect((await parse('hubs: [hub.example/mesh]\nreplaceHubs: true')).places.hubs).toEqual([
      'hub.example/mesh',
    ]);
  });

  it('takes pinned keys alone where it is told to', async () => {
    const { keys } = await parse(
      `requirePinnedKeys: true\nkeys: [{file: a}, {url: https://a.example/k, sha256: ${PIN}}]`,
    );
    expect(keys).toHaveLength(2);
  });

  it('is frozen, all of it', async () => {
    expect(isFrozen(defaultConfig)).toBe(true);
    expect(isFrozen(await parse(WHOLE, FILES))).toBe(true);
  });

  it('is refused with the path where the file is not there', async () => {
    const loading = loadConfig({ path: '/etc/sailmark.yaml', readFile: filesOf({}) });
    await expect(loading).rejects.toThrow(ConfigError);
    await expect(loading).rejects.toThrow('cannot read /etc/sailmark.yaml: ENOENT');
  });
});

describe('a described configuration', () => {
  it('is the file that makes it, with every default', async () => {
    for (const text of ['', WHOLE, 'keys: [{istio: release, for: [istio]}]']) {
      const config = await parse(text, FILES);
      const again = await parseConfig(describeConfig(config), filesOf(FILES));
      expect(withoutQueries(again)).toEqual(withoutQueries(config));
    }
  });

  it('shows no secret', async () => {
    const described = describeConfig(
      await parse(WHOLE, { ...FILES, '/docker.json': '{"auths":{"a":{"auth":"c2VjcmV0"}}}' }),
    );
    expect(described).toContain('https://example.com/key.pub?…');
    expect(described).toContain('dockerConfig: /docker.json');
    expect(described).not.toMatch(/word|c2VjcmV0/);
  });
});
