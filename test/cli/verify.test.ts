import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath } from '../support/fixtures.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner, imageManifest, push, pushSignatures, sign } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';

const KEY = fixturePath('cosign/keys/cosign.pub');
const SPKI = 'b8b6b4236fec3ba7a6f330cbcbd7c3bbf138fe764c5b01842f089ef3b76633be';
const KEY_ID = 'jFwVj7gHDspuhI0rpjz9Om2A35PFv_Ibow5uaP1xlo8';
const IMAGE = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';

let registry: TestRegistry;
let directory: string;

const write = async (name: string, content: string): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
};

const verify = (...argv: readonly string[]) =>
  runCli(['verify', '--key', KEY, '--allow-http-registry', ...argv]);

/** The vector’s image by digest. */
const vector = (name: string): string =>
  `${registry.host}/${registry.loadVector(`referrers/${name}`)}@${IMAGE}`;

beforeAll(async () => {
  registry = await startRegistry();
  directory = await mkdtemp(join(tmpdir(), 'sailmark-cli-'));
});
afterAll(async () => {
  await registry.close();
  await rm(directory, { recursive: true, force: true });
});

/** Pushes a distinct image. The vectors all share one image, which is verified everywhere once it is verified anywhere. */
const ownImage = (name: string, signed: boolean): string => {
  const digest = push(registry, name, imageManifest(name));
  if (signed)
    pushSignatures(registry, name, digest, [sign(createSigner(), `${registry.host}/${name}`, digest)]);
  return `${registry.host}/${name}@${digest}`;
};

describe('verify ends', () => {
  it('with 10 where there is no signature', async () =>
    expect((await verify(vector('s15-unsigned'))).code).toBe(10));
  it('with 11 where there is no image', async () =>
    expect((await verify(`${registry.host}/s01-legacy-notlog:none`)).code).toBe(11));
  it.each(['n01-replayed-other-image', 'n02-wrong-key', 'n24-critical-type-other'])(
    'with 12 on %s',
    async (name) => expect((await verify(vector(name))).code).toBe(12),
  );
  it('with 12 where another component was signed', async () => {
    const signer = createSigner();
    const digest = push(registry, 'istio/proxyv2', imageManifest('mixed up'), '1.28.0');
    pushSignatures(registry, 'istio/proxyv2', digest, [sign(signer, 'docker.io/istio/ztunnel', digest)]);
    const configuration = { mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }] };
    const config = await write(
      'mirror.yaml',
      JSON.stringify({ apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration', ...configuration }),
    );
    const key = await write('mixed.pub', signer.publicPem);
    const image = `${registry.host}/istio/proxyv2:1.28.0`;
    const { code, stdout } = await runCli([
      'verify',
      '--config',
      config,
      '--key',
      key,
      '--allow-http-registry',
      image,
    ]);
    expect(code).toBe(12);
    expect(stdout).toContain(
      'expected component proxyv2, but the image is signed as ztunnel (component-mismatch)',
    );
    expect(stdout).toContain('cosign accepts this image: it does not compare the component');
  });
  it('with 20 where the registry does not answer', async () =>
    expect((await verify('127.0.0.1:1/istio/pilot:1.28.0')).code).toBe(20));
  it('with 20 where plain HTTP was not allowed', async () =>
    expect((await runCli(['verify', '--key', KEY, vector('s01-legacy-notlog')])).code).toBe(20));
  it('with 30 where it is no reference', async () => expect((await verify('Istio/Pilot')).code).toBe(30));
  it('with 0 where each is verified', async () =>
    expect(
      (await verify(vector('s01-legacy-notlog'), `${registry.host}/s01-legacy-notlog:1.30.0-amd64`)).code,
    ).toBe(0));

  it('with the first of 1, 12, 10, 30, 11, 20 that several images come to', async () => {
    const [unsigned, wrongKey] = [ownImage('own/unsigned', false), ownImage('own/stranger', true)];
    const good = vector('s01-legacy-notlog');
    const [absent, invalid, gone] = [
      `${registry.host}/s15-unsigned:none`,
      'Istio/Pilot',
      '127.0.0.1:1/istio/pilot:1.28.0',
    ];
    expect((await verify(gone, absent, invalid, unsigned, wrongKey, good)).code).toBe(12);
    expect((await verify(gone, absent, invalid, unsigned, good)).code).toBe(10);
    expect((await verify(gone, absent, invalid, good)).code).toBe(30);
    expect((await verify(gone, absent, good)).code).toBe(11);
    expect((await verify(gone, good)).code).toBe(20);
  });
});

describe('verify prints', () => {
  it('JSON of the published shape, whole', async () => {
    const image = vector('s01-legacy-notlog');
    const { stdout } = await verify('--output', 'json', image, 'Istio/Pilot');
    const printed = JSON.parse(stdout) as { images: { durationMs: unknown }[] };
    for (const { durationMs } of printed.images) expect(durationMs).toEqual(expect.any(Number));
    const transparencyLog = { checked: false, logIndex: null, integratedTime: null };
    expect(printed).toEqual({
      schema: 'sailmark.dev/verification/v1',
      images: [
        {
          reference: image,
          digest: IMAGE,
          component: null,
          componentProven: false,
          outcome: 'verified',
          reason: null,
          message: 'signed by a trusted key; not an Istio image, so only the signature was verified',
          signedBy: [{ keyId: KEY_ID, spkiSha256: SPKI, source: KEY }],
          format: 'simple-signing',
          transparencyLog,
          requests: 3,
          fromMemory: false,
          durationMs: expect.any(Number),
        },
        {
          reference: 'Istio/Pilot',
          digest: null,
          component: null,
          componentProven: false,
          outcome: 'refused',
          reason: 'image-reference-invalid',
          message: expect.stringContaining('image-reference-invalid'),
          signedBy: [],
          format: null,
          transparencyLog,
          requests: 0,
          fromMemory: false,
          durationMs: expect.any(Number),
        },
      ],
    });
  });

  it('what was checked, who signed and the cosign command of the same verdict, for people', async () => {
    const image = vector('s01-legacy-notlog');
    const { stdout, stderr } = await verify(image);
    expect(stderr).toBe('');
    expect(stdout).toContain(`${image}: verified\n`);
    expect(stdout).toContain(`signed by   ${KEY} (key id ${KEY_ID})`);
    expect(stdout).toContain('The signatures were verified against a trusted public key');
    expect(stdout).toContain(
      `cosign verify --key ${KEY} --insecure-ignore-tlog --allow-http-registry ${image}\n`,
    );
  });

  it.each([
    ['s01-legacy-notlog', IMAGE, 'c2-legacy-notlog-ok'],
    ['s02-legacy-tlog', IMAGE, 'c2-legacy-tlog-ok'],
    ['s02-legacy-tlog', IMAGE, 'c3-legacy-tlog-ok'],
    ['s03-legacy-tlog-recursive', '1.30.0', 'c2-legacy-tag-ok'],
    ['s03-legacy-tlog-recursive', '1.30.0', 'c3-legacy-tag-ok'],
    ['s07-bundle-tlog', IMAGE, 'c3-bundle-ok'],
    ['s08-bundle-notlog', IMAGE, 'c3-bundle-notlog-ok'],
    ['s09-bundle-tlog-recursive', '1.30.0', 'c3-bundle-tag-ok'],
  ])('what cosign prints, byte for byte: %s at %s as in %s', async (name, at, golden) => {
    const { readFileSync } = await import('node:fs');
    const repository = `${registry.host}/${registry.loadVector(`referrers/${name}`)}`;
    const image = at.startsWith('sha256:') ? `${repository}@${at}` : `${repository}:${at}`;
    const { code, stdout } = await verify('--output', 'cosign', image);
    expect(code).toBe(0);
    // A bundle names no repository: cosign prints the reference as requested.
    const printed = readFileSync(fixturePath('cosign/cosign-output', `${golden}.stdout`), 'utf8');
    expect(stdout).toBe(name.includes('bundle') ? printed.replace('localhost:5001', registry.host) : printed);
  });

  it('nothing on standard output, as cosign, where nothing is verified', async () => {
    const { code, stdout, stderr } = await verify('--output', 'cosign', vector('n02-wrong-key'));
    expect({ code, stdout }).toEqual({ code: 12, stdout: '' });
    expect(stderr).toMatch(/^Error: /);
  });

  it('references from standard input in the order they came, however many', async () => {
    const names = Array.from({ length: 60 }, (_, index) =>
      index % 3 === 0 ? ownImage(`own/unsigned-${index}`, false) : vector('s01-legacy-notlog'),
    );
    const stdin = `# images\n\n${names.join('\n')}\n`;
    const { stdout } = await runCli(
      ['verify', '--key', KEY, '--allow-http-registry', '-o', 'json', '-f', '-'],
      { stdin },
    );
    const { images } = JSON.parse(stdout) as { images: readonly { reference: string; outcome: string }[] };
    expect(images.map(({ reference }) => reference)).toEqual(names);
    expect(images.map(({ outcome }) => outcome)).toEqual(
      names.map((_, index) => (index % 3 === 0 ? 'rejected' : 'verified')),
    );
  });

  it('that an image only looks like Istio’s, and verifies it all the same', async () => {
    const signer = createSigner();
    const digest = push(registry, 'elsewhere/proxyv2', imageManifest('look-alike'));
    pushSignatures(registry, 'elsewhere/proxyv2', digest, [
      sign(signer, `${registry.host}/elsewhere/proxyv2`, digest),
    ]);
    const key = await write('elsewhere.pub', signer.publicPem);
    const { code, stdout } = await runCli([
      'verify',
      '--key',
      key,
      '--allow-http-registry',
      `${registry.host}/elsewhere/proxyv2@${digest}`,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "the name is that of Istio's proxyv2, but the image is on no hub or mirror: review and the webhook refuse it",
    );
  });
});

describe('verify asks', () => {
  it('over TLS with a private CA and credentials, and not without them', async () => {
    const tls = createTls();
    const account = { username: 'reader', password: 'open-sesame' };
    const closed = await startRegistry({ tls, auth: { kind: 'token', account } });
    const image = `${closed.host}/${closed.loadVector('referrers/s01-legacy-notlog')}@${IMAGE}`;
    const ca = await write('ca.pem', tls.ca);
    const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64');
    const credentials = await write('config.json', JSON.stringify({ auths: { [closed.host]: { auth } } }));
    const codes = [
      await runCli(['verify', '--key', KEY, image]),
      await runCli(['verify', '--key', KEY, '--ca-file', ca, image]),
      await runCli(['verify', '--key', KEY, '--ca-file', ca, '--registry-config', credentials, image]),
      await runCli(['verify', '--key', KEY, '--ca-file', ca, image], { env: { DOCKER_CONFIG: directory } }),
    ].map(({ code }) => code);
    await closed.close();
    expect(codes).toEqual([20, 20, 0, 0]);
  });

  it('with no key that is private, and says so', async () => {
    const path = fixturePath('cosign/keys/test-key.pkcs8.pem');
    const image = vector('s01-legacy-notlog');
    const { code, stdout, stderr } = await runCli(['verify', '--key', KEY, '--key', path, image]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^Error: --key ${path}: is a private key.*\n$`));
  });
});
