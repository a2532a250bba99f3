import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTestRegistry, temporaryDirectory } from '../registry/test-client.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner } from '../support/signing-kit.ts';

const KEY = createSigner().publicPem;

/** A docker `config.json` with one password. */
const configFor = (host: string, username: string): string => {
  const auth = Buffer.from(`${username}:wrong`).toString('base64');
  return JSON.stringify({ auths: { [host]: { auth } } });
};

/** `Basic` of `user:password` → `user`. */
const userOf = (authorization: string | undefined): string =>
  authorization === undefined
    ? 'nobody'
    : (Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')[0] ?? '');

interface Case {
  readonly what: string;
  /** Files in a directory of the test, by path; each holds the credentials of a user of that name. */
  readonly files: readonly string[];
  /** Directories in place of files. */
  readonly directories?: readonly string[];
  /** `HOME` is `home`, unless it is given; a value of a directory or file is below the directory of the test. */
  readonly env?: Readonly<Record<string, string>>;
  readonly flag?: string;
  /** The user of `DOCKER_AUTH_CONFIG`. */
  readonly authConfig?: string;
  readonly users: readonly string[];
}

const HOME = 'home/.docker/config.json';
const NAMED = 'named/config.json';
const RUNTIME = 'run/containers/auth.json';
const DOCKER_CONFIG = { DOCKER_CONFIG: 'named' };
const PODMAN = { REGISTRY_AUTH_FILE: 'podman.json', XDG_RUNTIME_DIR: 'run' };

/** The order of go-containerregistry's pkg/authn/keychain.go, which cosign reads credentials by, and of docker/cli below it. */
const CASES: readonly Case[] = [
  { what: 'nothing', files: [], env: { ...DOCKER_CONFIG, ...PODMAN }, users: [] },
  { what: '~/.docker', files: [HOME, RUNTIME, 'podman.json'], env: PODMAN, users: [HOME] },
  { what: '$DOCKER_CONFIG before ~/.docker', files: [HOME, NAMED], env: DOCKER_CONFIG, users: [NAMED] },
  {
    what: '$DOCKER_CONFIG alone',
    files: [NAMED, RUNTIME],
    env: { ...DOCKER_CONFIG, ...PODMAN },
    users: [NAMED],
  },
  {
    what: '$DOCKER_CONFIG without a file, which replaces ~/.docker all the same',
    files: [HOME, RUNTIME],
    env: { ...DOCKER_CONFIG, ...PODMAN },
    users: [],
  },
  { what: '$REGISTRY_AUTH_FILE', files: ['podman.json', RUNTIME], env: PODMAN, users: ['podman.json'] },
  { what: '$XDG_RUNTIME_DIR', files: [RUNTIME], env: PODMAN, users: [RUNTIME] },
  {
    what: 'podman’s file where ~/.docker/config.json is a directory',
    files: [RUNTIME],
    directories: [HOME],
    env: PODMAN,
    users: [RUNTIME],
  },
  {
    what: 'a directory in place of every file',
    files: [],
    directories: [HOME, NAMED, RUNTIME, 'podman.json'],
    env: { ...DOCKER_CONFIG, ...PODMAN },
    users: [],
  },
  { what: '$DOCKER_AUTH_CONFIG alone', files: [], authConfig: 'env', users: ['env'] },
  { what: '$DOCKER_AUTH_CONFIG before a file', files: [HOME], authConfig: 'env', users: ['env', HOME] },
  {
    what: '$DOCKER_AUTH_CONFIG before podman’s file',
    files: [RUNTIME],
    env: PODMAN,
    authConfig: 'env',
    users: ['env', RUNTIME],
  },
  {
    what: '--registry-config alone, whatever else there is',
    files: [HOME, NAMED, RUNTIME, 'flag.json'],
    env: { ...DOCKER_CONFIG, ...PODMAN },
    authConfig: 'env',
    flag: 'flag.json',
    users: ['flag.json'],
  },
];

/** Runs `verify` for an image of a registry that refuses every password, and returns the users that it was sent. */
const usersSent = async ({ files, directories = [], env = {}, flag, authConfig }: Case) => {
  const account = { username: 'reader', password: 'open-sesame' };
  const registry = await startTestRegistry({ auth: { kind: 'basic', account } });
  const root = temporaryDirectory();
  const at = (path: string): string => join(root, path);
  for (const path of directories) mkdirSync(at(path), { recursive: true });
  for (const path of files) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), configFor(registry.host, path));
  }
  writeFileSync(at('key.pub'), KEY);
  const { code, stderr } = await runCli(
    [
      'verify',
      '--key',
      at('key.pub'),
      '--allow-http-registry',
      ...(flag === undefined ? [] : ['--registry-config', at(flag)]),
      `${registry.host}/istio/pilot:1.28.0`,
    ],
    {
      env: {
        HOME: at('home'),
        ...Object.fromEntries(Object.entries(env).map(([name, path]) => [name, at(path)])),
        ...(authConfig === undefined ? {} : { DOCKER_AUTH_CONFIG: configFor(registry.host, authConfig) }),
      },
    },
  );
  const users = new Set(registry.requests.map(({ authorization }) => userOf(authorization)));
  users.delete('nobody');
  return { code, stderr, users: [...users] };
};

describe('the credentials of the user are those of', () => {
  it.each(CASES)('$what', async (row) => {
    expect(await usersSent(row)).toEqual({ code: 20, stderr: '', users: row.users });
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
