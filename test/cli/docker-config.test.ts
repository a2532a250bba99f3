import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTestRegistry, temporaryDirectory } from '../registry/test-client.ts';
import { type DockerConfigCase, dockerConfigCases, writeCase } from '../support/docker-config-cases.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner } from '../support/signing-kit.ts';

const KEY = createSigner().publicPem;

/** `Basic` of `user:password` → `user`. */
const userOf = (authorization: string | undefined): string =>
  authorization === undefined
    ? 'nobody'
    : (Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')[0] ?? '');

/** Runs `verify` for an image of a registry that refuses every password, and returns the users that it was sent. */
const usersSent = async (row: DockerConfigCase) => {
  const account = { username: 'reader', password: 'open-sesame' };
  const registry = await startTestRegistry({ auth: { kind: 'basic', account } });
  const root = temporaryDirectory();
  const at = (path: string): string => join(root, path);
  const env = writeCase(row, root, registry.host);
  writeFileSync(at('key.pub'), KEY);
  const { code, stderr } = await runCli(
    [
      'verify',
      '--key',
      at('key.pub'),
      '--allow-http-registry',
      ...(row.flag === undefined ? [] : ['--registry-config', at(row.flag)]),
      `${registry.host}/istio/pilot:1.28.0`,
    ],
    { env },
  );
  const users = new Set(registry.requests.map(({ authorization }) => userOf(authorization)));
  users.delete('nobody');
  return { code, stderr, users: [...users] };
};

describe('the credentials of the user are those of', () => {
  it.each(dockerConfigCases)('$what', async (row) => {
    expect(await usersSent(row)).toEqual({ code: 20, stderr: '', users: row.users });
  });
});

describe('--registry-config', () => {
  it('that names a directory is refused at start, with what to name', async () => {
    const directory = temporaryDirectory();
    expect(await runCli(['verify', '--registry-config', directory, 'r.example/istio/pilot:1.28.0'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: --registry-config ${directory} is a directory: name the file in it\n`,
    });
  });

  it('that names no file is refused at start: nobody is anonymous without knowing it', async () => {
    const absent = join(temporaryDirectory(), 'config.json');
    expect(await runCli(['verify', '--registry-config', absent, 'r.example/istio/pilot:1.28.0'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: --registry-config ${absent} cannot be read: ENOENT: no such file or directory, stat '${absent}'
`,
    });
  });
});

describe('credentials in the environment', () => {
  const verify = async (text: string, auth: { readonly kind: 'basic' } | undefined) => {
    const account = { username: 'env', password: 'wrong' };
    const registry = await startTestRegistry(auth === undefined ? {} : { auth: { ...auth, account } });
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'key.pub'), KEY);
    const image = `${registry.host}/istio/pilot:1.28.0`;
    const argv = ['verify', '--key', join(directory, 'key.pub'), '--allow-http-registry', image];
    return runCli(argv, { env: { DOCKER_AUTH_CONFIG: text } });
  };

  it('that are no docker config are passed over with a warning that quotes nothing of them', async () => {
    const { stdout, stderr } = await verify('{"auths":{"r":{"auth":"c2VjcmV0OnNlY3JldA=="}', undefined);
    expect(stderr).toBe(
      'Warning: DOCKER_AUTH_CONFIG is not a docker config.json, and not used: it is not valid JSON\n',
    );
    expect(stdout).toContain('image-not-found');
  });

  it('that are empty are none', async () => {
    const { stderr } = await verify('', { kind: 'basic' });
    expect(stderr).toBe('');
  });
});
