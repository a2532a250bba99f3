import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleOf, pushBundle } from '../support/bundle-kit.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner, imageManifest, push, pushSignatures, sign } from '../support/signing-kit.ts';

/* `COSIGN_REPOSITORY`: the signatures of an image are in another repository, of another registry. */

const signer = createSigner();
const stranger = createSigner();
const image = imageManifest('pilot');
const bundled = imageManifest('bundled');
const unsigned = imageManifest('signed beside the image alone');

let images: TestRegistry;
let signatures: TestRegistry;
let directory: string;
let key: string;

beforeAll(async () => {
  images = await startRegistry();
  signatures = await startRegistry();
  directory = await mkdtemp(join(tmpdir(), 'sailmark-repository-'));
  key = join(directory, 'release.pub');
  await writeFile(key, signer.publicPem);
  for (const each of [image, bundled, unsigned]) push(images, 'corp/app', each);
  pushSignatures(images, 'corp/app', unsigned.digest, [sign(signer, 'corp/app', unsigned.digest)]);
  pushSignatures(signatures, 'corp/signatures', image.digest, [sign(signer, 'corp/app', image.digest)]);
  pushSignatures(signatures, 'corp/strangers', image.digest, [sign(stranger, 'corp/app', image.digest)]);
  pushBundle(signatures, 'corp/signatures', bundled.digest, bundleOf(signer, bundled.digest));
});
afterAll(async () => {
  await Promise.all([images.close(), signatures.close()]);
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  for (const registry of [images, signatures]) registry.clearRequests();
});

const verify = (digest: string, repository: string, ...argv: readonly string[]) =>
  runCli(['verify', '--key', key, '--allow-http-registry', ...argv, `${images.host}/corp/app@${digest}`], {
    env: { COSIGN_REPOSITORY: repository },
  });
const beside = () => `${signatures.host}/corp/signatures`;

describe('verify with COSIGN_REPOSITORY', () => {
  it('refuses an image that is signed in its own repository alone, and says where it looked', async () => {
    const { code, stdout, stderr } = await verify(unsigned.digest, beside());
    expect({ code, stderr }).toEqual({
      code: 10,
      stderr: `Note: signatures are read from ${beside()} alone, as COSIGN_REPOSITORY says\n`,
    });
    expect(stdout).toContain('(signature-missing)');
    expect(images.requests.filter(({ path }) => path.includes('.sig') || path.includes('referrers'))).toEqual(
      [],
    );
  });

  it('refuses what a stranger signed there', async () => {
    expect((await verify(image.digest, `${signatures.host}/corp/strangers`)).code).toBe(12);
  });

  it.each([
    'registry.corp.example:5000',
    'signatures',
    'https://a.example/b',
    'a.example/b:tag',
    'a.example/B c',
  ])('refuses %s, which is no repository', async (repository) => {
    const { code, stderr } = await verify(image.digest, repository);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'COSIGN_REPOSITORY must be a repository, such as registry.corp.example/signatures',
    );
  });

  it.each([
    ['a .sig signature', () => image.digest],
    ['a bundle', () => bundled.digest],
  ])('verifies by %s there, and prints the same command for cosign', async (_, digest) => {
    const { code, stdout } = await verify(digest(), beside());
    expect(code).toBe(0);
    expect(stdout).toContain(`the same with cosign: COSIGN_REPOSITORY=${beside()} cosign verify`);
  });

  it('asks nobody where it is offline', async () => {
    const { stderr } = await verify(image.digest, beside(), '--offline', '--evidence', directory);
    expect(stderr).not.toContain('COSIGN_REPOSITORY');
    expect(signatures.requests).toEqual([]);
  });

  it('is as without it where it is empty', async () => {
    expect((await verify(unsigned.digest, '')).code).toBe(0);
  });
});

describe('review and keys', () => {
  it.each([
    ['review', '/dev/null'],
    ['keys', '--key', 'KEY'],
  ])('have no use for COSIGN_REPOSITORY, as the webhook has none: %s', async (command, ...rest) => {
    const argv = rest.map((argument) => (argument === 'KEY' ? key : argument));
    const { stderr } = await runCli([command, ...argv], { env: { COSIGN_REPOSITORY: 'no repository' } });
    expect(stderr).not.toContain('COSIGN_REPOSITORY');
  });
});
