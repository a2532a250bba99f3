import { describe, expect, it } from 'vitest';
import { describeConfig, parseConfig } from '../../src/config/index.ts';
import { filesOf, parse, refusals } from './parse.ts';

const PROVIDERS = `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: ecr-credential-provider
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["*.dkr.ecr.*.amazonaws.com", registry.example:5000/team]
  defaultCacheDuration: 12h
  args: [get-credentials]
  env: [{name: AWS_PROFILE, value: mesh}]
- name: other
  apiVersion: credentialprovider.kubelet.k8s.io/v1beta1
  matchImages: [other.example]
  defaultCacheDuration: "0"
`;
const withProviders = (file: string): Promise<readonly string[]> =>
  refusals('registries: [{host: r.example, credentials: {providers: {config: /p.yaml, binDir: /bin}}}]', {
    '/p.yaml': file,
  });
const AT = 'registries[0].credentials.providers.config: /p.yaml:';

describe('an endpoint', () => {
  it.each([
    'https://harbor.example/hub',
    'harbor.example/',
    'harbor.example/hub/',
    'harbor.example/Hub',
    'harbor.example/hub:v1',
    'harbor/hub',
    'harbor.example/a b',
    'u:p@harbor.example',
  ])('that is no host and path (%s) is refused', async (endpoint) => {
    expect(await refusals(`registries: [{host: docker.io, endpoint: "${endpoint}"}]`)).toEqual([
      'registries[0].endpoint: must be a registry host, with a path if it has one, and no scheme: harbor.corp.example/hub',
    ]);
  });

  it('that leads back, or on to another, is refused', async () => {
    expect(
      await refusals(`
registries:
- {host: docker.io, endpoint: index.docker.io/hub}
- {host: a.example, endpoint: b.example}
- {host: b.example, endpoint: a.example/x}
- {host: c.example, endpoint: docker.io}`),
    ).toEqual([
      'registries[0].endpoint: must not be docker.io itself',
      'registries[1].endpoint: must be where a.example is read, and b.example has an endpoint itself',
      'registries[2].endpoint: must be where b.example is read, and a.example has an endpoint itself',
      'registries[3].endpoint: must be where c.example is read, and docker.io has an endpoint itself',
    ]);
  });

  it('has its settings with its host, and beside it they are refused', async () => {
    expect(
      await refusals(
        'registries: [{host: docker.io, endpoint: harbor.example, tokenRealms: [a.example], credentials: {}}]',
      ),
    ).toEqual([
      'registries[0].credentials: has no effect beside endpoint: set it for the host of the endpoint',
      'registries[0].tokenRealms: has no effect beside endpoint: set it for the host of the endpoint',
    ]);
  });

  it('is a host with a path or without, in normal form', async () => {
    const { registries } = await parse(`
registries:
- {host: docker.io, endpoint: harbor.example:8443/hub/library}
- {host: quay.io, endpoint: harbor.example:8443}`);
    expect(registries).toEqual([
      { host: 'docker.io', endpoint: 'harbor.example:8443/hub/library' },
      { host: 'quay.io', endpoint: 'harbor.example:8443' },
    ]);
  });
});

describe('pull secrets', () => {
  it('are refused where they are not named with their namespace, or none is', async () => {
    expect(
      await refusals(`
registries:
- {host: a.example, credentials: {pullSecrets: [regcred, a/b/c, "A/b"]}}
- {host: b.example, credentials: {pullSecrets: []}}`),
    ).toEqual([
      ...[0, 1, 2].map(
        (index) =>
          `registries[0].credentials.pullSecrets[${index}]: must be a namespace and the name of a Secret: istio-system/registry`,
      ),
      'registries[1].credentials.pullSecrets: must have at least one entry; a key that is optional can be removed instead',
    ]);
  });

  it('are namespaces and names', async () => {
    const { registries } = await parse(
      'registries: [{host: a.example, credentials: {pullSecrets: [istio-system/reg.cred]}}]',
    );
    expect(registries).toEqual([
      { host: 'a.example', pullSecrets: [{ namespace: 'istio-system', name: 'reg.cred' }] },
    ]);
  });
});

describe('credential providers', () => {
  it.each([
    ['kind: [', /^the file is not YAML/],
    ['kind: &a [*a]', /^the file is not YAML: aliases exceeded/],
    [`kind: ${'['.repeat(100_000)}`, /^the file is not YAML: nesting exceeded/],
    ['a: b', /^is not a CredentialProviderConfig of the kubelet$/],
    ['kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1', /^providers must be a list/],
    [
      PROVIDERS.replace('config.k8s.io/v1', 'config.k8s.io/v9'),
      /^apiVersion must be kubelet.config.k8s.io\/v1$/,
    ],
    [PROVIDERS.replace('name: other', 'name: ../other'), /^providers\[1\].name must be the name of an exec/],
    [PROVIDERS.replace('name: other', 'name: ..'), /^providers\[1\].name must be the name of an exec/],
    [
      PROVIDERS.replace('name: other', 'name: ecr-credential-provider'),
      /^providers\[1\].name must be unique$/,
    ],
    [PROVIDERS.replace('[other.example]', '[]'), /^providers\[1\].matchImages must be a list of hosts/],
    [
      PROVIDERS.replace('[other.example]', '["https://other.example"]'),
      /^providers\[1\].matchImages must be/,
    ],
    [PROVIDERS.replace('12h', '12 hours'), /^providers\[0\].defaultCacheDuration must be a duration/],
    [PROVIDERS.replace('12h', '-1s'), /^providers\[0\].defaultCacheDuration must be a duration/],
    [PROVIDERS.replace('io/v1beta1', 'io/v2'), /^providers\[1\].apiVersion must be credentialprovider/],
    [PROVIDERS.replace('[get-credentials]', 'get'), /^providers\[0\].args must be a list of strings$/],
    [PROVIDERS.replace('value: mesh', 'value: 5'), /^providers\[0\].env must be a list of/],
    [PROVIDERS.replace('  args', '  arg'), /^providers\[0\].arg is not a known key: did you mean args\?$/],
    [`${PROVIDERS}  tokenAttributes: {}`, /^providers\[1\].tokenAttributes is supported by the kubelet only/],
  ])('that are wrong (%#) are refused with the file and the place in it', async (file, why) => {
    const [problem = '', ...others] = await withProviders(file);
    expect(others).toEqual([]);
    expect(problem.startsWith(`${AT} `)).toBe(true);
    expect(problem.slice(AT.length + 1)).toMatch(why);
  });

  it('whose file is not there are refused, and a directory must be named', async () => {
    expect(
      await refusals('registries: [{host: a.example, credentials: {providers: {config: /nowhere}}}]'),
    ).toEqual(['registries[0].credentials.providers.binDir: is missing: it must be the path of a directory']);
    expect(
      await refusals(
        'registries: [{host: a.example, credentials: {providers: {config: /nowhere, binDir: /bin}}}]',
      ),
    ).toEqual([
      expect.stringMatching(/^registries\[0\].credentials.providers.config: cannot be read: ENOENT/),
    ]);
  });

  it('are read with their file, and described by its name', async () => {
    const text = 'registries: [{host: r.example, credentials: {providers: {config: /p.yaml, binDir: /bin}}}]';
    const files = { '/p.yaml': PROVIDERS };
    const config = await parse(text, files);
    expect(config.registries).toEqual([
      {
        host: 'r.example',
        providers: {
          config: '/p.yaml',
          binDir: '/bin',
          providers: [
            {
              name: 'ecr-credential-provider',
              matchImages: ['*.dkr.ecr.*.amazonaws.com', 'registry.example:5000/team'],
              defaultCacheDuration: 43_200_000,
              apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
              args: ['get-credentials'],
              env: [{ name: 'AWS_PROFILE', value: 'mesh' }],
            },
            {
              name: 'other',
              matchImages: ['other.example'],
              defaultCacheDuration: 0,
              apiVersion: 'credentialprovider.kubelet.k8s.io/v1beta1',
              args: [],
              env: [],
            },
          ],
        },
      },
    ]);
    const described = describeConfig(config);
    expect(described).not.toContain('mesh');
    expect((await parseConfig(described, filesOf(files))).registries).toEqual(config.registries);
  });
});

describe('a described registry', () => {
  it('has its endpoint and its pull secrets', async () => {
    const text = `
registries:
- {host: docker.io, endpoint: harbor.example/hub}
- {host: harbor.example, credentials: {pullSecrets: [a/b, c/d]}}`;
    const { registries } = await parse(text);
    const described = describeConfig(await parse(text));
    expect((await parseConfig(described, filesOf({}))).registries).toEqual(registries);
    expect(described).toContain('- a/b');
  });
});
