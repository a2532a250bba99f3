import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A docker `config.json` with one password. */
const configFor = (host: string, username: string): string => {
  const auth = Buffer.from(`${username}:wrong`).toString('base64');
  return JSON.stringify({ auths: { [host]: { auth } } });
};

export interface DockerConfigCase {
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
  /** The users whose passwords are tried, in order. */
  readonly users: readonly string[];
  /** The user that go-containerregistry finds, if it is not the first of these. */
  readonly inGo?: string | undefined;
}

const HOME = 'home/.docker/config.json';
const NAMED = 'named/config.json';
const RUNTIME = 'run/containers/auth.json';
const DOCKER_CONFIG = { DOCKER_CONFIG: 'named' };
const PODMAN = { REGISTRY_AUTH_FILE: 'podman.json', XDG_RUNTIME_DIR: 'run' };

/**
 * The order of go-containerregistry's pkg/authn/keychain.go, which cosign reads credentials by, and of docker/cli below it.
 * Of `DOCKER_AUTH_CONFIG` alone go-containerregistry reads nothing.
 */
export const dockerConfigCases: readonly DockerConfigCase[] = [
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
  { what: '$DOCKER_AUTH_CONFIG alone', files: [], authConfig: 'env', users: ['env'], inGo: '' },
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

/** Writes the files of a case below `root`, for a registry at `host`, and returns its environment. */
export const writeCase = (
  { files, directories = [], env = {}, authConfig }: DockerConfigCase,
  root: string,
  host: string,
): Readonly<Record<string, string>> => {
  const at = (path: string): string => join(root, path);
  for (const path of directories) mkdirSync(at(path), { recursive: true });
  for (const path of files) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), configFor(host, path));
  }
  return {
    HOME: at('home'),
    ...Object.fromEntries(Object.entries(env).map(([name, path]) => [name, at(path)])),
    ...(authConfig === undefined ? {} : { DOCKER_AUTH_CONFIG: configFor(host, authConfig) }),
  };
};
