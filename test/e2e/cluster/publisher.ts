import { mkdir, mkdtemp, readFile, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTls } from '../../support/tls.ts';
import { programOf } from '../control-plane/programs.ts';
import { ACCOUNT, startDockerRegistry } from '../docker-registry.ts';
import { type ProgramResult, pathOf, runOrThrow, runProgram } from '../tools.ts';

/*
 * A person who builds and publishes sailmark: a checkout, their programs and their registries, which have the names of
 * docs/install.md and are on loopback, over TLS, with an account. Their login is done. Commands are typed as the page has them.
 */

const ROOT = new URL('../../..', import.meta.url).pathname;
/** The registries, each on an address of its own. */
const REGISTRIES = { 'registry.corp.example': '127.0.0.1:443', 'registry.inside.example': '127.0.0.2:443' };
const OVERLAYFS_MAGIC = 0x794c7630;

export interface Publisher {
  readonly directory: string;
  /** The checkout, in which commands are typed. */
  readonly checkout: string;
  /** The environment of every program. */
  readonly env: Readonly<Record<string, string>>;
  /** Types a command, and resolves with its end. Builds get the stand-ins for the base images, and the packages from a cache. */
  type(command: string, more?: Readonly<Record<string, string>>): Promise<ProgramResult>;
  stop(): Promise<void>;
}

const variable = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`set ${name}, or run .ci/control-plane, which does`);
  return value;
};

/** Names the registries in the hosts file of this mount namespace. Throws outside of those that .ci/control-plane makes. */
const nameRegistries = async (directory: string): Promise<void> => {
  await runOrThrow('ip', ['link', 'show', 'pods']);
  const hosts = join(directory, 'hosts');
  const lines = Object.entries(REGISTRIES).map(([name, address]) => `${address.split(':')[0]} ${name}\n`);
  await writeFile(hosts, (await readFile('/etc/hosts', 'utf8')) + lines.join(''));
  await runOrThrow('mount', ['--bind', hosts, '/etc/hosts']);
};

/** Copies what Git knows of this tree, changes included, into a repository of its own. */
const makeCheckout = async (checkout: string): Promise<void> => {
  await runOrThrow('git', ['clone', '--quiet', '--shared', '--no-checkout', ROOT, checkout]);
  const copy =
    'git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --no-dereference --target-directory "$0"';
  await runOrThrow('bash', ['-euo', 'pipefail', '-c', copy, checkout], { cwd: ROOT });
};

/** Writes the programs that commands find, and no others of these names. */
const writePrograms = async (bin: string): Promise<void> => {
  await mkdir(bin);
  const links = {
    buildah: variable('BUILDAH'),
    podman: variable('PODMAN'),
    skopeo: pathOf('skopeo'),
    cosign: pathOf('cosign 3'),
    helm: programOf('helm'),
    kubectl: programOf('kubectl'),
  };
  for (const [name, path] of Object.entries(links)) await symlink(path, join(bin, name));
  const script = (name: string, line: string) =>
    writeFile(join(bin, name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
  // As Debian's podman-docker has it.
  await script('docker', 'podman');
  await script('sailmark', `${process.execPath} ${join(ROOT, 'dist/main.js')}`);
};

const writeSettings = async (directory: string, ca: string): Promise<void> => {
  const auth = Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64');
  const auths = Object.fromEntries(Object.keys(REGISTRIES).map((host) => [host, { auth }]));
  const driver = (await statfs(directory)).type === OVERLAYFS_MAGIC ? 'vfs' : 'overlay';
  const storage = { driver, graphroot: join(directory, 'images'), runroot: join(directory, 'run') };
  const toml = (table: object): string =>
    Object.entries(table)
      .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
      .join('');
  const files = {
    'ca.pem': ca,
    'config.json': JSON.stringify({ auths }),
    'storage.conf': `[storage]\n${toml(storage)}`,
    'containers.conf': `[engine]\n${toml({
      cgroup_manager: 'cgroupfs',
      events_logger: 'none',
      tmp_dir: join(directory, 'podman'),
      static_dir: join(directory, 'images/libpod'),
      volume_path: join(directory, 'volumes'),
    })}`,
    'registries.conf': '',
    // The build must not ask for packages: .ci/image has filled the cache.
    npmrc: 'offline=true\n',
    '.config/containers/policy.json': JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }),
  };
  await mkdir(join(directory, '.config/containers'), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
};

const environmentOf = (directory: string): Readonly<Record<string, string>> => ({
  PATH: `${join(directory, 'bin')}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
  HOME: directory,
  DOCKER_CONFIG: directory,
  REGISTRY_AUTH_FILE: join(directory, 'config.json'),
  SSL_CERT_FILE: join(directory, 'ca.pem'),
  CONTAINERS_STORAGE_CONF: join(directory, 'storage.conf'),
  CONTAINERS_CONF: join(directory, 'containers.conf'),
  CONTAINERS_REGISTRIES_CONF: join(directory, 'registries.conf'),
  BUILDAH_ISOLATION: 'chroot',
  HELM_CACHE_HOME: join(directory, 'helm'),
  HELM_CONFIG_HOME: join(directory, 'helm'),
  HELM_DATA_HOME: join(directory, 'helm'),
  COSIGN_PASSWORD: 'of a test',
  REGISTRY_USER: ACCOUNT.username,
  REGISTRY_PASSWORD: ACCOUNT.password,
});

/** Stand-ins for the public base images, in the registry: an index for each. */
const BASES = {
  BUILD_IMAGE: 'registry.corp.example/bases/build:1',
  RUNTIME_IMAGE: 'registry.corp.example/bases/runtime:1',
};

const pushBases = async (env: Readonly<Record<string, string>>): Promise<void> => {
  const layout = variable('IMAGE_BASES');
  const buildah = (...argv: readonly string[]) =>
    runOrThrow(variable('BUILDAH'), argv, { env, timeout: 120_000 });
  await buildah('manifest', 'create', 'runtime');
  for (const name of ['base', 'base-arm64'])
    await buildah('manifest', 'add', 'runtime', `oci:${layout}:${name}`);
  await buildah('manifest', 'push', '--all', 'runtime', `docker://${BASES.RUNTIME_IMAGE}`);
  const copy = ['copy', '--quiet', `oci:${layout}:build-stage`, `docker://${BASES.BUILD_IMAGE}`];
  await runOrThrow(pathOf('skopeo'), copy, { env });
};

const addedToBuilds = (directory: string): string =>
  [
    ...Object.entries(BASES).map(([name, image]) => `--build-arg ${name}=${image}`),
    `--volume ${variable('NPM_CACHE')}:/.npm`,
    `--volume ${join(directory, 'npmrc')}:/.npmrc:ro`,
  ].join(' ');

/** Prepares everything. `withBases` is false for who only publishes what a release holds. */
export const startPublisher = async ({ withBases = true } = {}): Promise<Publisher> => {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-publisher-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const tls = createTls(Object.keys(REGISTRIES));
  await nameRegistries(directory);
  started.defer(async () => {
    await runOrThrow('umount', ['/etc/hosts']);
  });
  for (const address of Object.values(REGISTRIES)) {
    const registry = await startDockerRegistry(tls, { kind: 'basic' }, address);
    started.defer(() => registry.stop());
  }
  const checkout = join(directory, 'sailmark');
  await makeCheckout(checkout);
  await writePrograms(join(directory, 'bin'));
  await writeSettings(directory, tls.ca);
  const env = environmentOf(directory);
  if (withBases) await pushBases(env);
  const running = started.move();
  return {
    directory,
    checkout,
    env,
    type(command, more = {}) {
      const typed = / build .* \.$/.test(command)
        ? command.replace(/ \.$/, ` ${addedToBuilds(directory)} .`)
        : command;
      const options = { cwd: checkout, env: { ...env, ...more }, timeout: 300_000 };
      return runProgram('bash', ['-euo', 'pipefail', '-c', typed], options);
    },
    stop: () => running.disposeAsync(),
  };
};
