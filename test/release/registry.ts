import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Descriptor, INDEX_TYPE, MANIFEST_TYPE, readEntries, sha256 } from '../../.ci/ship/layout.ts';
import { runOrThrow } from '../e2e/tools.ts';
import { startProcess, untilOutput } from '../support/process.ts';

/** Returns the value of a variable that `.ci/release-test` sets. */
export const variable = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`set ${name}, or run .ci/release-test, which does`);
  return value;
};

/** Debian's docker-registry in plain HTTP, on a port of loopback that it chooses itself, without accounts. */
export const startPlainRegistry = async (): Promise<AsyncDisposable & { readonly host: string }> => {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-registry-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const configuration = join(directory, 'config.yml');
  await writeFile(
    configuration,
    JSON.stringify({
      version: 0.1,
      log: { level: 'info', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, 'storage') } },
      http: { addr: '127.0.0.1:0' },
    }),
  );
  const registry = started.use(startProcess(variable('DOCKER_REGISTRY'), ['serve', configuration]));
  const host = await untilOutput(
    registry,
    'address of docker-registry',
    (output) => /listening on ([\d.]+:\d+)/.exec(output)?.[1],
  );
  const running = started.move();
  return { host, [Symbol.asyncDispose]: () => running.disposeAsync() };
};

/** Stores a manifest in a registry under a tag or digest. */
export const putManifest = async (
  host: string,
  repository: string,
  reference: string,
  mediaType: string,
  manifest: string | Buffer,
): Promise<string> => {
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: manifest,
  });
  if (response.status !== 201)
    throw new Error(`${repository}:${reference}: ${response.status} ${await response.text()}`);
  return response.headers.get('docker-content-digest') ?? '';
};

const REF_NAME = 'org.opencontainers.image.ref.name';

/** Pushes images of a layout, and an index of them. Resolves with `REPOSITORY@DIGEST` of the index. */
const pushIndex = async (
  host: string,
  repository: string,
  layout: string,
  names: Readonly<Record<string, string>>,
): Promise<string> => {
  const manifests: Descriptor[] = [];
  for (const [architecture, name] of Object.entries(names)) {
    const entry = readEntries(layout).find(({ annotations }) => annotations?.[REF_NAME] === name);
    if (entry === undefined) throw new Error(`${layout} has no image ${name}`);
    const { mediaType, digest, size } = entry;
    manifests.push({ mediaType, digest, size, platform: { os: 'linux', architecture } });
    const to = `docker://${host}/${repository}@${digest}`;
    const flags = ['--quiet', '--preserve-digests', '--dest-tls-verify=false'];
    const argv = ['--insecure-policy', 'copy', ...flags, `oci:${layout}:${name}`, to];
    await runOrThrow(variable('SKOPEO'), argv);
  }
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests });
  return `${host}/${repository}@${await putManifest(host, repository, 'latest', INDEX_TYPE, index)}`;
};

/** Pushes the stand-ins for the base images of the Dockerfile. Resolves with the variables that name them. */
export const pushBases = async (host: string): Promise<Readonly<Record<string, string>>> => {
  const layout = variable('RELEASE_BASES');
  const machine = process.arch === 'x64' ? 'amd64' : process.arch;
  return {
    BUILD_IMAGE: await pushIndex(host, 'bases/build', layout, { [machine]: 'build-stage' }),
    RUNTIME_IMAGE: await pushIndex(host, 'bases/runtime', layout, { amd64: 'base', arm64: 'base-arm64' }),
  };
};

/** Lists the tags of a repository. */
export const tagsOf =
  (host: string) =>
  async (repository: string): Promise<readonly string[]> => {
    const response = await fetch(`http://${host}/v2/${repository}/tags/list`);
    const { tags } = (await response.json()) as { readonly tags?: readonly string[] };
    return (tags ?? []).toSorted();
  };

/** Reads a manifest by its tag or digest, byte for byte. */
export const getManifest = async (
  host: string,
  repository: string,
  reference: string,
): Promise<{ readonly mediaType: string; readonly body: Buffer }> => {
  const accept = [INDEX_TYPE, MANIFEST_TYPE].join(', ');
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${reference}`, {
    headers: { accept },
  });
  if (response.status !== 200) throw new Error(`${repository}:${reference}: ${response.status}`);
  return {
    mediaType: response.headers.get('content-type') ?? '',
    body: Buffer.from(await response.arrayBuffer()),
  };
};

/** Stores a blob. Resolves with its descriptor. */
export const putBlob = async (
  host: string,
  repository: string,
  mediaType: string,
  body: Buffer,
): Promise<Descriptor> => {
  const digest = `sha256:${sha256(body)}`;
  const session = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(session.headers.get('location') ?? '', `http://${host}`);
  location.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await fetch(location, { method: 'PUT', headers, body });
  if (response.status !== 201) throw new Error(`${repository}: ${response.status} ${await response.text()}`);
  return { mediaType, digest, size: body.length };
};
