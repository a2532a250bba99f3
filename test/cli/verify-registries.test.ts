import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner, imageManifest, push, pushSignatures, sign } from '../support/signing-kit.ts';

/*
 * The requests that `verify` sends to registries, and the flags that govern them, over real sockets.
 */

const ACCOUNT = { username: 'reader', password: 'open-sesame' };
const auths = (host: string): string =>
  JSON.stringify({
    auths: { [host]: { auth: Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64') } },
  });

const signer = createSigner();
const image = imageManifest('pilot');

let registry: TestRegistry;
let directory: string;
let key: string;

const write = async (name: string, content: string | object): Promise<string> => {
  const path = join(directory, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const pushSigned = (to: TestRegistry, repository = 'istio/pilot'): string => {
  push(to, repository, image, '1.28.0');
  pushSignatures(to, repository, image.digest, [sign(signer, `docker.io/${repository}`, image.digest)]);
  return `${to.host}/${repository}:1.28.0`;
};

beforeAll(async () => {
  registry = await startRegistry();
  directory = await mkdtemp(join(tmpdir(), 'sailmark-registries-'));
  key = await write('release.pub', signer.publicPem);
  pushSigned(registry);
});
afterAll(async () => {
  await registry.close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  registry.clearRequests();
  registry.fault = undefined;
});

const verify = (...argv: readonly string[]) => runCli(['verify', '--key', key, ...argv]);

describe('verify and plain HTTP', () => {
  it('does not go together by itself, and the flag is named', async () => {
    const { code, stdout } = await verify(`${registry.host}/istio/pilot:1.28.0`);
    expect(code).toBe(20);
    expect(stdout).toContain('(registry-unavailable)');
    expect(stdout).toContain('the registry does not speak TLS: --allow-http-registry allows plain HTTP');
    expect(stdout).not.toContain('the same with cosign');
  });

  it('is for the hosts named, not for one that a registry redirects to', async () => {
    const other = await startRegistry();
    pushSigned(other);
    registry.fault = (request, response) => {
      response.writeHead(307, { location: `${other.origin}${request.url}` }).end();
      return true;
    };
    const { code, stdout } = await verify('--allow-http-registry', `${registry.host}/istio/pilot:1.28.0`);
    await other.close();
    expect(code).toBe(20);
    expect(stdout).toContain('(registry-refused)');
    expect(other.requests).toEqual([]);
  });

  it('is not for a token realm elsewhere, which gets no credentials', async () => {
    const realm = await startRegistry();
    const closed = await startRegistry({
      auth: { kind: 'token', account: ACCOUNT, realm: `${realm.origin}/token` },
    });
    const name = pushSigned(closed);
    const credentials = await write('realm/config.json', auths(closed.host));
    const { code, stdout } = await verify('--allow-http-registry', '--registry-config', credentials, name);
    await Promise.all([realm.close(), closed.close()]);
    expect(code).toBe(20);
    expect(stdout).toContain('(registry-refused)');
    expect(realm.requests).toEqual([]);
  });

  it('is for each host named, and asked of nobody else', async () => {
    const { code } = await verify('--allow-http-registry', `${registry.host}/istio/pilot:1.28.0`);
    expect(code).toBe(0);
    expect(registry.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });
});

describe('verify and credentials', () => {
  it.each(['basic', 'token'] as const)('shows none, and says so: %s', async (kind) => {
    const closed = await startRegistry({ auth: { kind, account: ACCOUNT } });
    const { code, stdout } = await verify('--allow-http-registry', pushSigned(closed));
    await closed.close();
    expect(code).toBe(20);
    expect(stdout).toContain("(registry-refused); check sailmark's credentials for this registry");
  });

  it.each(['basic', 'token'] as const)(
    'takes them from --registry-config, DOCKER_CONFIG or the home directory: %s',
    async (kind) => {
      const closed = await startRegistry({ auth: { kind, account: ACCOUNT } });
      const name = pushSigned(closed);
      const home = join(directory, kind);
      const file = await write(`${kind}/.docker/config.json`, auths(closed.host));
      const argv = ['verify', '--key', key, '--allow-http-registry', name];
      const codes = [
        await runCli([...argv, '--registry-config', file]),
        await runCli(argv, { env: { DOCKER_CONFIG: join(home, '.docker') } }),
        await runCli(argv, { env: { HOME: home } }),
        await runCli(argv, { env: { HOME: home, DOCKER_CONFIG: '' } }),
        await runCli(argv, { env: { HOME: home, DOCKER_CONFIG: '/nonexistent' } }),
      ].map(({ code }) => code);
      await closed.close();
      expect(codes).toEqual([0, 0, 0, 0, 20]);
    },
  );

  it('tells cosign where they are', async () => {
    const credentials = await write('told/config.json', auths(registry.host));
    const name = `${registry.host}/istio/pilot:1.28.0`;
    const { stdout } = await verify('--allow-http-registry', '--registry-config', credentials, name);
    expect(stdout).toContain(
      `the same with cosign: DOCKER_CONFIG=${join(directory, 'told')} cosign verify --key ${key} --insecure-ignore-tlog --allow-http-registry ${name}\n`,
    );
  });
});

describe('verify and a configuration', () => {
  const configure = (content: object) =>
    write('sailmark.yaml', { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration', ...content });

  it('knows the components of its mirrors, and whose name was signed', async () => {
    const config = await configure({
      keys: [{ inline: signer.publicPem }],
      mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
      registries: [{ host: registry.host, plainHTTP: true }],
    });
    const name = `${registry.host}/istio/pilot:1.28.0`;
    const { code, stdout } = await runCli(['verify', '--config', config, name]);
    expect(code).toBe(0);
    expect(stdout).toContain('  signed by a trusted key\n');
    expect(stdout).toContain('  component   pilot\n');
    expect(stdout).toContain('    - The signed bytes name this component\n');
    expect(stdout).toContain(
      `cosign verify --key KEY.pub --insecure-ignore-tlog --allow-http-registry ${name}   (KEY.pub: the key of keys[0].inline)`,
    );
  });

  it('refuses a revoked digest whatever its signatures, with 30, and says that cosign does not', async () => {
    const config = await configure({
      keys: [{ inline: signer.publicPem }],
      registries: [{ host: registry.host, plainHTTP: true }],
      revoked: [{ digest: image.digest, reason: 'CVE-2026-0001' }],
    });
    const name = `${registry.host}/istio/pilot:1.28.0`;
    const { code, stdout } = await runCli(['verify', '--config', config, name]);
    expect(code).toBe(30);
    expect(stdout).toContain(`${name}: refused\n`);
    expect(stdout).toContain(`${image.digest} is revoked: CVE-2026-0001 (image-revoked)`);
    expect(stdout).toContain('cosign may accept this image: it has no list of revoked digests\n');
  });

  it('does not offer cosign a key that may not sign for this image', async () => {
    const stranger = createSigner();
    const own = await write('own.pub', stranger.publicPem);
    const config = await configure({
      keys: [{ file: key, for: [`${registry.host}/corp`] }, { file: own }],
      mirrors: [
        { mirror: `${registry.host}/istio`, of: 'docker.io/istio' },
        { mirror: `${registry.host}/corp`, of: 'docker.io/istio' },
      ],
      registries: [{ host: registry.host, plainHTTP: true }],
    });
    const { code, stdout } = await runCli([
      'verify',
      '--config',
      config,
      `${registry.host}/istio/pilot:1.28.0`,
    ]);
    expect(code).toBe(12);
    expect(stdout).toContain('(signer-untrusted)');
    expect(stdout).toContain(`the same with cosign: cosign verify --key ${own} `);
    expect(stdout).not.toContain(`--key ${key}`);
  });

  it('is ended by keys that are none, and warns of one that is missing', async () => {
    const none = await configure({ keys: [{ file: join(directory, 'none.pub') }] });
    const name = `${registry.host}/istio/pilot:1.28.0`;
    const empty = await runCli(['verify', '--config', none, name]);
    expect({ code: empty.code, stdout: empty.stdout }).toEqual({ code: 1, stdout: '' });
    expect(empty.stderr).toContain('Error: no key could be loaded, so nothing can be verified\n');
    const some = await configure({ keys: [{ file: join(directory, 'none.pub') }, { file: key }] });
    const { code, stderr } = await runCli(['verify', '--config', some, '--allow-http-registry', name]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `Warning: no key loaded from ${join(directory, 'none.pub')}: file not found\n`,
    });
  });

  it('is 20 where an unknown key signed while one is missing', async () => {
    const own = await write('own.pub', createSigner().publicPem);
    const config = await configure({ keys: [{ file: join(directory, 'none.pub') }, { file: own }] });
    const name = `${registry.host}/istio/pilot:1.28.0`;
    const { code, stdout } = await runCli(['verify', '--config', config, '--allow-http-registry', name]);
    expect(code).toBe(20);
    expect(stdout).toContain('(key-ring-incomplete)');
  });
});

describe('verify and time', () => {
  it('gives each image its own, and says when it is up', async () => {
    registry.fault = () => true;
    const name = `${registry.host}/istio/pilot`;
    const { code, stdout } = await verify(
      '--allow-http-registry',
      '--timeout',
      '200ms',
      `${name}:1`,
      `${name}:2`,
    );
    expect(code).toBe(20);
    expect(stdout.match(/the registry did not respond \(deadline-exceeded\)/g)).toHaveLength(2);
  });

  it('counts over the deadline that a configuration sets for what images share', async () => {
    const slow = await startRegistry({ latency: 1100 });
    pushSigned(slow);
    const config = await write('impatient.yaml', {
      apiVersion: 'sailmark.dev/v1alpha1',
      kind: 'Configuration',
      limits: { flightDeadline: '1s' },
    });
    const name = `${slow.host}/istio/pilot@${image.digest}`;
    const { code } = await verify('--config', config, '--allow-http-registry', '--timeout', '20s', name);
    await slow.close();
    expect(code).toBe(0);
  });
});
