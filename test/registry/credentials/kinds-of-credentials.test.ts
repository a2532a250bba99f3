import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startProxy } from '../../support/proxy.ts';
import type { Fault, RegistryAuth } from '../../support/registry-server.ts';
import { createTls } from '../../support/tls.ts';
import {
  type ClientOptions,
  closeAfterTest,
  createClient,
  DIGEST,
  faultOf,
  portOf,
  pushTestImage,
  resolverOf,
  startTestRegistry,
  temporaryDirectory,
  writeExecutable,
  writeJsonFile,
} from '../test-client.ts';

/*
 * Each kind of credentials, against a registry over TLS with a private CA, directly and through a proxy that requires a
 * password itself. Each is first refused without credentials.
 */

const TLS = createTls(['registry.example']);
const ACCOUNT = { username: 'ada', password: 's3cret' };
const PROXY_ACCOUNT = { username: 'proxy', password: 'pr0xy' };
const BASIC: RegistryAuth = { kind: 'basic', account: ACCOUNT };
const TOKEN: RegistryAuth = { kind: 'token', account: ACCOUNT };
const REFRESH = 'refresh-me';
/** The token that the registry takes for this repository. */
const REGISTRY_TOKEN = `token-for-${Buffer.from('repository:istio/pilot:pull').toString('hex')}`;
const PULL_SECRET = { namespace: 'istio-system', name: 'regcred' };

/** A token service that gives tokens for a refresh token only. */
const byRefreshToken: Fault = (request, response) => {
  if (request.url?.startsWith('/token') !== true) return false;
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const fields = new URLSearchParams(Buffer.concat(chunks).toString());
    const token = `token-for-${Buffer.from(fields.get('scope') ?? '').toString('hex')}`;
    if (fields.get('refresh_token') === REFRESH) response.end(JSON.stringify({ access_token: token }));
    else response.writeHead(401).end();
  });
  return true;
};

/** A token service that knows no OAuth2: it answers a POST with this status. */
const byGetOnly =
  (status: number): Fault =>
  (request, response) => {
    if (request.method !== 'POST') return false;
    response.writeHead(status).end();
    return true;
  };

const AUTH = Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64');

const provider = (host: string): ClientOptions => {
  const answer = {
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
    kind: 'CredentialProviderResponse',
    cacheKeyType: 'Registry',
    cacheDuration: '1h0m0s',
    auth: { [host]: ACCOUNT },
  };
  const binDir = writeExecutable(
    'provider',
    `process.stdout.write(${JSON.stringify(JSON.stringify(answer))})`,
  );
  const { apiVersion } = answer;
  const rest = { defaultCacheDuration: 0, args: [], env: [] };
  const providers = [{ name: 'provider', matchImages: [host], apiVersion, ...rest }];
  return { providers: { config: '/etc/providers.yaml', binDir, providers } };
};

const helper = (host: string): ClientOptions => {
  const PATH = writeExecutable(
    'docker-credential-corp',
    `console.log('${JSON.stringify({ Username: ACCOUNT.username, Secret: ACCOUNT.password })}')`,
  );
  return {
    helpers: 'run',
    environment: { PATH },
    dockerConfig: writeJsonFile({ credHelpers: { [host]: 'corp' } }),
  };
};

const dockercfg = (host: string): ClientOptions => {
  const file = join(temporaryDirectory(), '.dockercfg');
  writeFileSync(file, JSON.stringify({ [`https://${host}/v1/`]: ACCOUNT }));
  return { dockerConfig: file };
};

interface Kind {
  readonly kind: string;
  readonly auth: RegistryAuth;
  readonly fault?: Fault;
  readonly means: (host: string) => ClientOptions;
}

const auths = (host: string, entry: unknown) => ({ auths: { [host]: entry } });
const KINDS: readonly Kind[] = [
  {
    kind: 'docker config, password',
    auth: BASIC,
    means: (host) => ({ dockerConfig: writeJsonFile(auths(host, ACCOUNT)) }),
  },
  {
    kind: 'docker config, token',
    auth: TOKEN,
    means: (host) => ({ dockerConfig: writeJsonFile(auths(host, ACCOUNT)) }),
  },
  {
    kind: 'docker config, identity token',
    auth: { kind: 'token' },
    fault: byRefreshToken,
    means: (host) => ({ dockerConfig: writeJsonFile(auths(host, { identitytoken: REFRESH })) }),
  },
  ...[401, 404, 405].map((status) => ({
    kind: `docker config, identity token beside a password, where a POST is answered ${status}`,
    auth: TOKEN,
    fault: byGetOnly(status),
    means: (host: string) => ({
      dockerConfig: writeJsonFile(auths(host, { auth: AUTH, identitytoken: REFRESH })),
    }),
  })),
  {
    kind: 'docker config, identity token beside a password, where Basic is required',
    auth: BASIC,
    means: (host) => ({ dockerConfig: writeJsonFile(auths(host, { auth: AUTH, identitytoken: REFRESH })) }),
  },
  {
    kind: 'docker config, registry token',
    auth: TOKEN,
    fault: (request, response) => {
      // No token service is asked with credentials: they are for the registry itself.
      if (request.url?.startsWith('/token') !== true) return false;
      response.writeHead(401).end();
      return true;
    },
    means: (host) => ({
      dockerConfig: writeJsonFile(auths(host, { auth: AUTH, registrytoken: REGISTRY_TOKEN })),
    }),
  },
  { kind: 'dockercfg, as a pull secret is mounted', auth: BASIC, means: dockercfg },
  {
    kind: 'pull secret of a cluster',
    auth: TOKEN,
    means: (host) => ({
      secrets: [PULL_SECRET],
      pullSecrets: { find: async () => JSON.stringify(auths(host, ACCOUNT)) },
    }),
  },
  { kind: 'credential provider, password', auth: BASIC, means: provider },
  { kind: 'credential provider, token', auth: TOKEN, means: provider },
  { kind: 'credential helper', auth: TOKEN, means: helper },
];

const WAYS = ['directly', 'through a proxy'] as const;

const startRegistryFor = async ({ auth: wanted, fault }: Kind, way: (typeof WAYS)[number]) => {
  const auth = { ...wanted };
  const registry = await startTestRegistry({ tls: TLS, auth });
  pushTestImage(registry);
  registry.fault = fault;
  const host = `registry.example:${portOf(registry)}`;
  // The token service is reached by the same name.
  Object.assign(auth, { realm: `https://${host}/token` });
  const proxy = closeAfterTest(await startProxy({ account: PROXY_ACCOUNT }));
  const url = new URL(`http://${PROXY_ACCOUNT.username}:${PROXY_ACCOUNT.password}@${proxy.host}`);
  const reach: ClientOptions =
    way === 'directly'
      ? { lookUp: resolverOf({ 'registry.example': ['127.0.0.1'] }) }
      : { lookUp: resolverOf({}), proxy: { https: url } };
  return {
    registry,
    host,
    repositoryFor: (means: ClientOptions) =>
      createClient(host, { ca: TLS.ca, ...reach, ...means }).repository(),
  };
};

describe.each(WAYS)('a registry that is asked %s', (way) => {
  it.each(KINDS)('is read with a $kind, and refuses without', async (kind) => {
    const { registry, host, repositoryFor } = await startRegistryFor(kind, way);
    const fault = await faultOf(repositoryFor({}).manifest());
    expect(fault).toMatchObject({ code: 'refused', asked: true });
    expect(await repositoryFor(kind.means(host)).manifest()).toMatchObject({ digest: DIGEST });
    expect(registry.requests.map(({ authorization }) => authorization ?? '').join(' ')).not.toContain(
      'pr0xy',
    );
  });

  it('is read anonymously where anybody may, though an identity token is of no use there', async () => {
    const { repositoryFor, host } = await startRegistryFor(
      { kind: 'none', auth: { kind: 'token' }, fault: byGetOnly(404), means: () => ({}) },
      way,
    );
    const means = { dockerConfig: writeJsonFile(auths(host, { identitytoken: REFRESH })) };
    expect(await repositoryFor(means).manifest()).toMatchObject({ digest: DIGEST });
  });

  it('is read anonymously where anybody may', async () => {
    const { repositoryFor } = await startRegistryFor(
      { kind: 'none', auth: { kind: 'token' }, means: () => ({}) },
      way,
    );
    expect(await repositoryFor({}).manifest()).toMatchObject({ digest: DIGEST });
  });
});
