import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodRunner } from '../control-plane/kubelet/pod-runner.ts';
import type { ConfigMap, KubernetesObject } from '../control-plane/objects.ts';
import { runOrThrow } from '../tools.ts';
import { type Cluster, NAMESPACE } from './cluster.ts';

const PROGRAM = 'dist/main.js';

/** A ConfigMap with the files of a directory, and the volume that restores their paths: keys cannot contain slashes. */
export interface EvidenceVolume {
  readonly object: KubernetesObject;
  readonly volume: object;
}

const volumeOf = async (name: string, directory: string): Promise<EvidenceVolume> => {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  const files = await Promise.all(
    paths.map(async (path) => {
      const content = await readFile(join(directory, path), 'base64');
      return { key: path.replaceAll('/', '_'), path, content };
    }),
  );
  return {
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: NAMESPACE },
      binaryData: Object.fromEntries(files.map(({ key, content }) => [key, content])),
    },
    volume: { configMap: { name, items: files.map(({ key, path }) => ({ key, path })) } },
  };
};

/**
 * Runs `sailmark evidence pull`, as an operator does who prepares for an outage, and puts the result into a ConfigMap.
 */
export const pullEvidence = async (
  { api, values }: Cluster,
  images: readonly string[],
): Promise<EvidenceVolume> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-evidence-'));
  try {
    const { data } = await api.get<ConfigMap>(`/api/v1/namespaces/${NAMESPACE}/configmaps/registry-ca`);
    const authority = join(directory, 'ca.pem');
    await writeFile(authority, data?.['ca.pem'] ?? '');
    const { keys, registries } = (
      values as { readonly config: Record<'keys' | 'registries', readonly object[]> }
    ).config;
    const configuration = {
      apiVersion: 'sailmark.dev/v1alpha1',
      kind: 'Configuration',
      keys,
      registries: registries.map((each) => ('caFile' in each ? { ...each, caFile: authority } : each)),
    };
    const file = join(directory, 'config.yaml');
    await writeFile(file, JSON.stringify(configuration));
    const made = join(directory, 'evidence');
    await runOrThrow(process.execPath, [
      PROGRAM,
      'evidence',
      'pull',
      ...images,
      '-o',
      made,
      '--config',
      file,
    ]);
    return await volumeOf('evidence', made);
  } finally {
    await rm(directory, { recursive: true });
  }
};

interface TagTable {
  readonly tags: readonly { readonly reference: string; readonly digest: string | null }[];
}

interface LayoutIndex {
  readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

/**
 * Resolves with the tags that a replica can still resolve after a power cut: the last digest is in its volume, and so is
 * the signature of that digest. The two are written independently of each other; each file is replaced by a rename.
 */
export const provenTags = async ({ process }: PodRunner): Promise<ReadonlySet<string>> => {
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(`/proc/${process?.pid}/root/var/lib/sailmark/${name}`, 'utf8'));
  const { tags } = (await read('sailmark-tags.json')) as TagTable;
  const { manifests } = (await read('index.json')) as LayoutIndex;
  const names = new Set(
    manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']),
  );
  const proven = tags.filter(({ digest }) => names.has(`${digest?.replace(':', '-')}.sig`));
  return new Set(proven.map(({ reference }) => reference));
};
