import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTls } from '../support/tls.ts';
import { pathOf, runOrThrow, runProgram } from './tools.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

/*
 * `verify-blob` of the bundle and `cosign verify-blob` verify the same file, which real cosign signed.
 */

let workspace: Workspace;
beforeAll(async () => {
  workspace = await createWorkspace(createTls(), []);
  const { directory: cwd, env } = workspace;
  await Promise.all([workspace.publicKey('release'), workspace.publicKey('stranger')]);
  await writeFile(join(cwd, 'tool'), 'what was released');
  await writeFile(join(cwd, 'other'), 'what was not');
  const sign = ['sign-blob', '--key', 'release.key', '--tlog-upload=false', '--yes'];
  await runOrThrow(pathOf('cosign 2'), [...sign, '--output-signature', 'tool.sig', 'tool'], { cwd, env });
  const flags = ['--key', 'release.key', '--yes', '--signing-config', 'signing-config.json'];
  const withBundle = async (command: string, bundle: string, ...argv: readonly string[]) =>
    runOrThrow(pathOf('cosign 3'), [command, ...flags, '--bundle', bundle, ...argv], { cwd, env });
  await withBundle('sign-blob', 'tool.sigstore.json', 'tool');
  await withBundle('attest-blob', 'attested.sigstore.json', '--predicate', 'predicate.json', 'tool');
});
afterAll(() => workspace?.remove());

/** Exit codes and the last line on standard error, of cosign and of ours. */
const ask = async (key: string, file: string, given: readonly string[] = ['--signature', 'tool.sig']) => {
  const { directory: cwd, env } = workspace;
  const argv = ['verify-blob', '--key', `${key}.pub`, ...given];
  const theirs = await runProgram(pathOf('cosign 3'), [...argv, '--insecure-ignore-tlog', file], {
    cwd,
    env,
  });
  const ours = await workspace.sailmark(...argv, file);
  const said = (stderr: string): string => stderr.trimEnd().split('\n').at(-1) ?? '';
  return {
    cosign: [theirs.code, said(theirs.stderr)],
    sailmark: [ours.code, said(ours.stderr)],
    stdout: ours.stdout + theirs.stdout,
  };
};

describe('verify-blob and cosign verify-blob', () => {
  it.each([
    ['another file', 'release', 'other'],
    ['a stranger’s key', 'stranger', 'tool'],
  ])('refuse %s', async (_what, key, file) => {
    expect(await ask(key, file)).toEqual({
      cosign: [1, expect.stringContaining('invalid signature')],
      sailmark: [12, `Error: ${file}: the signature does not verify with the key ${key}.pub`],
      stdout: '',
    });
  });

  it('verify what was signed, and say so in the same words', async () => {
    const verified = [0, 'Verified OK'];
    expect(await ask('release', 'tool')).toEqual({ cosign: verified, sailmark: verified, stdout: '' });
  });
});

describe('verify-blob and cosign verify-blob, of a bundle that cosign 3 wrote,', () => {
  const BUNDLE = ['--bundle', 'tool.sigstore.json'];

  it('refuse another file', async () => {
    expect(await ask('release', 'other', BUNDLE)).toEqual({
      cosign: [1, expect.any(String)],
      sailmark: [12, 'Error: other: the bundle is for another file: its SHA-256 is not that of this one'],
      stdout: '',
    });
  });

  it('refuse a stranger’s key', async () => {
    expect(await ask('stranger', 'tool', BUNDLE)).toEqual({
      cosign: [1, expect.any(String)],
      sailmark: [
        12,
        expect.stringMatching(
          /^Error: tool: the signature does not verify .*; the bundle names another key, "/,
        ),
      ],
      stdout: '',
    });
  });

  it('verify what was signed', async () => {
    const verified = [0, 'Verified OK'];
    expect(await ask('release', 'tool', BUNDLE)).toEqual({
      cosign: verified,
      sailmark: verified,
      stdout: '',
    });
  });

  it('differ on an attestation, which says something of the file and is not its signature', async () => {
    expect(await ask('release', 'tool', ['--bundle', 'attested.sigstore.json'])).toMatchObject({
      sailmark: [
        12,
        expect.stringMatching(/^Error: attested\.sigstore\.json: the bundle holds a DSSE envelope/),
      ],
    });
  });
});
