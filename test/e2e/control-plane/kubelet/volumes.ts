import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../api.ts';
import type { ConfigMap, Pod, Projection, Secret, Volume } from '../objects.ts';
import { type Ownership, replaceFiles, type VolumeFile } from './atomic-directory.ts';
import { fieldOf, type Placed } from './fields.ts';

/** The volumes of one pod, as directories. */
export interface Volumes {
  pathOf(volume: string): string;
  /** Takes over what changed in Secrets and ConfigMaps, as the kubelet does at each of its syncs. */
  refresh(): Promise<void>;
}

type Content = ReadonlyMap<string, Buffer>;

interface Selection {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly optional?: boolean;
}

const MODE = 0o644;

/** What of it is wanted, under the paths it is wanted at. A missing object or key is an error unless it is optional. */
const select = (what: string, all: Content | undefined, { items, optional }: Selection): Content => {
  if (all === undefined) {
    if (optional === true) return new Map();
    throw new Error(`${what} is not there`);
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

const RENEWED = 0.8;

/** Tokens of the pod's service account, bound to the pod; each is renewed when 80 % of its time is over. */
const createTokens = (api: Api, { metadata, spec }: Pod) => {
  const kept = new Map<string, { readonly token: Buffer; readonly until: number }>();
  const account = `/api/v1/namespaces/${metadata.namespace}/serviceaccounts/${spec.serviceAccountName ?? 'default'}`;
  return async (wanted: NonNullable<Projection['serviceAccountToken']>): Promise<Buffer> => {
    const { path, audience, expirationSeconds = 3600 } = wanted;
    const held = kept.get(path);
    if (held !== undefined && held.until > Date.now()) return held.token;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === undefined ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid },
      },
    };
    const { status } = await api.must<{ readonly status: { readonly token: string } }>(
      'POST',
      `${account}/token`,
      { body },
    );
    const token = Buffer.from(status.token);
    kept.set(path, { token, until: Date.now() + expirationSeconds * 1000 * RENEWED });
    return token;
  };
};

const createReader = (api: Api, placed: Placed) => {
  const base = `/api/v1/namespaces/${placed.pod.metadata.namespace}`;
  const tokenOf = createTokens(api, placed.pod);
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
      items.map(({ path, fieldRef }) => [path, Buffer.from(fieldOf(placed, fieldRef?.fieldPath ?? ''))]),
    );
  const readProjection = async (source: Projection): Promise<Content> => {
    const { serviceAccountToken, configMap, secret, downwardAPI } = source;
    if (serviceAccountToken) return new Map([[serviceAccountToken.path, await tokenOf(serviceAccountToken)]]);
    if (configMap) return readConfigMap(configMap.name, configMap);
    if (secret) return readSecret(secret.name, secret);
    if (downwardAPI) return readFields(downwardAPI);
    throw new Error(`the played kubelet knows no projection ${JSON.stringify(source)}`);
  };
  /** Undefined: a volume that is no files of somebody's. */
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

/** `fsGroup` may read what the group may not yet; a token is its user's alone, where the pod names one user. */
const filesOf = (
  content: Content,
  { mode, grouped }: { readonly mode: number; readonly grouped: boolean },
): ReadonlyMap<string, VolumeFile> =>
  new Map(
    [...content].map(([path, bytes]) => [path, { content: bytes, mode: grouped ? mode | 0o440 : mode }]),
  );

const sameContent = (one: Content | undefined, other: Content): boolean =>
  one?.size === other.size && [...other].every(([path, bytes]) => one.get(path)?.equals(bytes) === true);

const ownershipOf = ({ spec }: Pod): Ownership => {
  const group = spec.securityContext?.fsGroup;
  return group === undefined ? {} : { group };
};

/**
 * Makes the volumes of a pod below `directory`, those of claims below `claims`, where they outlive the pod. Rejects while
 * a Secret or ConfigMap is missing that must be there: the kubelet waits for it.
 */
export const makeVolumes = async (
  placed: Placed,
  { api, directory, claims }: { readonly api: Api; readonly directory: string; readonly claims: string },
): Promise<Volumes> => {
  const { pod } = placed;
  const volumes = pod.spec.volumes ?? [];
  const read = createReader(api, placed);
  const ownership = ownershipOf(pod);
  const written = new Map<string, Content>();
  const pathOf = (name: string): string => {
    const volume = volumes.find((each) => each.name === name);
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
