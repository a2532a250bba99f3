import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../api.ts';
import type { ConfigMap, Pod, Projection, Secret, Volume } from '../objects.ts';
import { type Ownership, replaceFiles, type VolumeFile } from './atomic-directory.ts';
import { fieldOf, type ScheduledPod } from './downward-api.ts';

/** The volumes of one pod, as directories. */
export interface Volumes {
  pathOf(volume: string): string;
  /** Writes changes of Secrets and ConfigMaps into the volumes, as the kubelet does at each sync. */
  refresh(): Promise<void>;
}

type Content = ReadonlyMap<string, Buffer>;

interface Selection {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly optional?: boolean;
}

const MODE = 0o644;

/** Selects the items of a Secret or ConfigMap, by path. A missing object or key is an error unless it is optional. */
const select = (what: string, all: Content | undefined, { items, optional }: Selection): Content => {
  if (all === undefined) {
    if (optional === true) return new Map();
    throw new Error(`${what} not found`);
  }
  if (items === undefined) return all;
  return new Map(
    items.flatMap(({ key, path }) => {
      const content = all.get(key);
      if (content === undefined && optional !== true) throw new Error(`${what} has no ${key}`);
      return content === undefined ? [] : [[path, content] as const];
    }),
  );
};

const decode = (values: Secret['data'] = {}, encoding: BufferEncoding = 'base64'): [string, Buffer][] =>
  Object.entries(values).map(([key, value]) => [key, Buffer.from(value, encoding)]);

const RENEW_AFTER = 0.8;

/** Requests tokens of the pod's service account, bound to the pod. Each is renewed after 80 % of its lifetime. */
const createTokens = (api: Api, { metadata, spec }: Pod) => {
  const cached = new Map<string, { readonly token: Buffer; readonly until: number }>();
  const account = `/api/v1/namespaces/${metadata.namespace}/serviceaccounts/${spec.serviceAccountName ?? 'default'}`;
  return async (wanted: NonNullable<Projection['serviceAccountToken']>): Promise<Buffer> => {
    const { path, audience, expirationSeconds = 3600 } = wanted;
    const current = cached.get(path);
    if (current !== undefined && current.until > Date.now()) return current.token;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === undefined ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid },
      },
    };
    const { status } = await api.sendOrThrow<{ readonly status: { readonly token: string } }>(
      'POST',
      `${account}/token`,
      { body },
    );
    const token = Buffer.from(status.token);
    cached.set(path, { token, until: Date.now() + expirationSeconds * 1000 * RENEW_AFTER });
    return token;
  };
};

const createReader = (api: Api, scheduled: ScheduledPod) => {
  const base = `/api/v1/namespaces/${scheduled.pod.metadata.namespace}`;
  const tokenOf = createTokens(api, scheduled.pod);
  const readSecret = async (name: string, selection: Selection): Promise<Content> => {
    const secret = await api.find<Secret>(`${base}/secrets/${name}`);
    return select(`Secret ${name}`, secret && new Map(decode(secret.data)), selection);
  };
  const readConfigMap = async (name: string, selection: Selection): Promise<Content> => {
    const map = await api.find<ConfigMap>(`${base}/configmaps/${name}`);
    const all = map && new Map([...decode(map.data, 'utf8'), ...decode(map.binaryData)]);
    return select(`ConfigMap ${name}`, all, selection);
  };
  const readFields = ({ items }: NonNullable<Volume['downwardAPI']>): Content =>
    new Map(
      items.map(({ path, fieldRef }) => [path, Buffer.from(fieldOf(scheduled, fieldRef?.fieldPath ?? ''))]),
    );
  const readProjection = async (source: Projection): Promise<Content> => {
    const { serviceAccountToken, configMap, secret, downwardAPI } = source;
    if (serviceAccountToken) return new Map([[serviceAccountToken.path, await tokenOf(serviceAccountToken)]]);
    if (configMap) return readConfigMap(configMap.name, configMap);
    if (secret) return readSecret(secret.name, secret);
    if (downwardAPI) return readFields(downwardAPI);
    throw new Error(`the simulated kubelet does not support the projection ${JSON.stringify(source)}`);
  };
  /** Returns the files of a volume; undefined if its content does not come from the API. */
  return async ({ configMap, secret, projected, downwardAPI }: Volume): Promise<Content | undefined> => {
    if (configMap) return readConfigMap(configMap.name, configMap);
    if (secret) return readSecret(secret.secretName, secret);
    if (downwardAPI) return readFields(downwardAPI);
    if (!projected) return undefined;
    const parts = await Promise.all(projected.sources.map(readProjection));
    return new Map(parts.flatMap((part) => [...part]));
  };
};

const modeOf = ({ configMap, secret, projected, downwardAPI }: Volume): number =>
  (configMap ?? secret ?? projected ?? downwardAPI)?.defaultMode ?? MODE;

/** With `fsGroup` the group may read every file. */
const filesOf = (
  content: Content,
  { mode, grouped }: { readonly mode: number; readonly grouped: boolean },
): ReadonlyMap<string, VolumeFile> =>
  new Map(
    [...content].map(([path, bytes]) => [path, { content: bytes, mode: grouped ? mode | 0o440 : mode }]),
  );

const sameContent = (before: Content | undefined, after: Content): boolean =>
  before?.size === after.size &&
  [...after].every(([path, bytes]) => before.get(path)?.equals(bytes) === true);

const ownershipOf = ({ spec }: Pod): Ownership => {
  const group = spec.securityContext?.fsGroup;
  return group === undefined ? {} : { group };
};

/**
 * Creates the volumes of a pod below `directory`, and those of claims below `claims`, where they outlive the pod.
 * Rejects while a required Secret or ConfigMap is missing: the kubelet waits for it.
 */
export const makeVolumes = async (
  scheduled: ScheduledPod,
  { api, directory, claims }: { readonly api: Api; readonly directory: string; readonly claims: string },
): Promise<Volumes> => {
  const { pod } = scheduled;
  const volumes = pod.spec.volumes ?? [];
  const read = createReader(api, scheduled);
  const ownership = ownershipOf(pod);
  const written = new Map<string, Content>();
  const pathOf = (name: string): string => {
    const volume = volumes.find((candidate) => candidate.name === name);
    if (volume?.hostPath) return volume.hostPath.path;
    if (volume?.persistentVolumeClaim) return join(claims, volume.persistentVolumeClaim.claimName);
    return join(directory, name);
  };
  const refresh = async (): Promise<void> => {
    for (const volume of volumes) {
      const content = await read(volume);
      if (content === undefined || sameContent(written.get(volume.name), content)) continue;
      const files = filesOf(content, { mode: modeOf(volume), grouped: ownership.group !== undefined });
      await replaceFiles(pathOf(volume.name), files, ownership);
      written.set(volume.name, content);
    }
  };
  for (const volume of volumes) {
    if (volume.hostPath) continue;
    const path = pathOf(volume.name);
    await mkdir(path, { recursive: true });
    await chmod(path, volume.emptyDir || volume.persistentVolumeClaim ? 0o777 : 0o755);
  }
  await refresh();
  return { pathOf, refresh };
};
