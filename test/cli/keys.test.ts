import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath } from '../support/fixtures.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner } from '../support/signing-kit.ts';

const KEY = fixturePath('cosign/keys/cosign.pub');
const PRIVATE = fixturePath('cosign/keys/test-key.pkcs8.pem');
const SPKI = 'b8b6b4236fec3ba7a6f330cbcbd7c3bbf138fe764c5b01842f089ef3b76633be';
const KEY_ID = 'jFwVj7gHDspuhI0rpjz9Om2A35PFv_Ibow5uaP1xlo8';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-keys-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const configure = async (content: object): Promise<string> => {
  const path = join(directory, 'config.yaml');
  await writeFile(
    path,
    JSON.stringify({ apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration', ...content }),
  );
  return path;
};

const ABSENT = { keyId: null, spkiSha256: null, pinned: null, covers: null, for: null };

describe('keys', () => {
  it('refuses a key file that is a pipe without a writer, and takes one that a shell opened', async () => {
    const pipe = join(directory, 'pipe.pub');
    execFileSync('mkfifo', [pipe]);
    const { code, stdout, stderr } = await runCli(['keys', '--key', pipe]);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(
      'cannot be read: it is a pipe, a device or a socket, not a regular file',
    );
    const shell = `"${process.execPath}" src/main.ts keys --key <(cat ${KEY})`;
    expect(execFileSync('bash', ['-c', shell], { encoding: 'utf8' })).toContain(KEY_ID);
  });

  it.each([
    ['--config', 'the configuration'],
    ['--ca-file', 'authorities'],
    ['--trusted-root', 'the roots of the log'],
  ])('refuses %s at once if it is a pipe without a writer', async (flag) => {
    const pipe = join(directory, `pipe-of${flag}`);
    execFileSync('mkfifo', [pipe]);
    const { code, stderr } = await runCli([
      'verify',
      '--key',
      KEY,
      flag,
      pipe,
      'docker.io/istio/pilot:1.30.0',
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('it is a pipe, a device or a socket, not a regular file');
  });

  it('shows keys that are missing with the reason, and ends with 1 for them', async () => {
    const none = join(directory, 'none.pub');
    const { code, stdout, stderr } = await runCli([
      'keys',
      '--output=json',
      ...[KEY, none, PRIVATE, 'https://127.0.0.1:1/key.pub'].map((key) => `--key=${key}`),
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      schema: 'sailmark.dev/keys/v1',
      keys: [
        {
          keyId: KEY_ID,
          spkiSha256: SPKI,
          source: KEY,
          pinned: true,
          state: 'loaded',
          covers: null,
          for: null,
        },
        { ...ABSENT, source: none, state: 'missing: file not found' },
        { ...ABSENT, source: PRIVATE, state: expect.stringMatching(/^missing: is a private key/) },
        {
          ...ABSENT,
          source: 'https://127.0.0.1:1/key.pub',
          state: expect.stringMatching(/^missing: cannot be fetched: .*ECONNREFUSED/),
        },
      ],
    });
  });

  it('without a network, shows a URL of the configuration as missing, and is no failure', async () => {
    const config = await configure({ keys: [{ file: KEY }, { url: 'https://127.0.0.1:1/key.pub' }] });
    const { code, stdout, stderr } = await runCli(['keys', '--config', config]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /https:\/\/127\.0\.0\.1:1\/key\.pub\n {2}state {5}missing: cannot be fetched: .*ECONNREFUSED/,
    );
  });

  it('ends with 1 for a URL that the command line names, and for a file of the configuration', async () => {
    const config = await configure({ keys: [{ file: KEY }, { file: join(directory, 'none.pub') }] });
    const codes = [
      await runCli(['keys', '--key', KEY, '--key', 'https://127.0.0.1:1/key.pub#sha256='.concat(SPKI)]),
      await runCli(['keys', '--config', config]),
    ].map(({ code }) => code);
    expect(codes).toEqual([1, 1]);
  });

  it.each([
    [
      'k8s://cosign/release',
      /^Error: .*\n  --key is in a Secret of Kubernetes, which is not read: .*`kubectl/,
    ],
    [
      'hashivault://release',
      /^Error: .*\n  --key is in a key management service .*`cosign public-key --key URI/,
    ],
  ])('says what to do about the key URI %s of cosign', async (uri, message) => {
    const { code, stdout, stderr } = await runCli(['keys', '--key', uri]);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('names a directory that is given for a key', async () => {
    const { code, stdout } = await runCli(['keys', '--key', directory]);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringContaining('missing: is a directory: name the file in it'),
    });
  });

  it('shows for people what a key may sign, and a key by where it stands in the configuration', async () => {
    const config = await configure({
      keys: [{ file: KEY, for: ['registry.corp.example/istio'] }, { inline: createSigner().publicPem }],
      mirrors: [{ mirror: 'registry.corp.example/istio', of: 'docker.io/istio' }],
    });
    const { code, stdout, stderr } = await runCli(['keys', '--config', config]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      [
        KEY,
        '  state     loaded',
        `  key id    ${KEY_ID}`,
        `  SPKI      sha256 ${SPKI}`,
        '  pinned    yes',
        '  only for  registry.corp.example/istio',
        '',
        'keys[1].inline',
        '',
      ].join('\n'),
    );
  });
});
