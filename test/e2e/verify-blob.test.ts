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
});
afterAll(() => workspace?.remove());

/** Exit codes and the last line on standard error, of cosign and of ours. */
const ask = async (key: string, file: string) => {
  const { directory: cwd, env } = workspace;
  const argv = ['verify-blob', '--key', `${key}.pub`, '--signature', 'tool.sig'];
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
