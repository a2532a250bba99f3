import { isAbsent, isJsonObject, type JsonObject } from '../base/index.ts';
import { genericContainerNames, isIstiodPod } from '../istio/index.ts';
import type { ImageUse } from '../policy/index.ts';
import type { Note } from './malformed-review.ts';

/** Every list of a pod spec whose members have an image; a test checks it against Kubernetes' own model. */
export const CONTAINER_LISTS = [
  { field: 'initContainers', kind: 'init-container' },
  { field: 'containers', kind: 'container' },
  { field: 'ephemeralContainers', kind: 'ephemeral-container' },
] as const;

const listAt = (from: JsonObject, field: string, path: string, note: Note): readonly unknown[] => {
  const list = from[field];
  if (Array.isArray(list)) return list;
  if (!isAbsent(list)) note(`${path}.${field}`, 'must be a list');
  return [];
};

/** The position of a container or volume in a pod spec. */
interface ListEntry {
  readonly list: string;
  readonly index: number;
  /** The path of the image within the entry. */
  readonly field: 'image' | 'image.reference';
}

/** Formats a path, only for an image or a problem: a pod has many volumes and few image volumes. */
const pathOf = ({ list, index }: ListEntry, field: string): string => `${list}[${index}]${field}`;

/** Returns the image use, or undefined if there is no image: a template may omit it. */
const useOf = (
  image: unknown,
  name: unknown,
  kind: ImageUse['kind'],
  entry: ListEntry,
  note: Note,
): ImageUse | undefined => {
  if (isAbsent(image) || image === '') return undefined;
  const path = pathOf(entry, `.${entry.field}`);
  if (typeof image !== 'string') note(path, 'must be a string');
  if (typeof name !== 'string') note(pathOf(entry, '.name'), 'must be a string');
  return typeof image === 'string' && typeof name === 'string' ? { image, path, name, kind } : undefined;
};

const useOfContainer = (
  container: unknown,
  kind: ImageUse['kind'],
  entry: ListEntry,
  note: Note,
): ImageUse | undefined => {
  if (isJsonObject(container)) return useOf(container['image'], container['name'], kind, entry, note);
  note(pathOf(entry, ''), 'must be an object');
  return undefined;
};

const useOfVolume = (volume: unknown, entry: ListEntry, note: Note): ImageUse | undefined => {
  if (!isJsonObject(volume)) {
    note(pathOf(entry, ''), 'must be an object');
    return undefined;
  }
  const source = volume['image'];
  if (isAbsent(source)) return undefined;
  if (isJsonObject(source)) return useOf(source['reference'], volume['name'], 'image-volume', entry, note);
  note(pathOf(entry, '.image'), 'must be an object');
  return undefined;
};

/**
 * Returns the image uses of a pod spec, in the order in which the kubelet starts them: init containers (native sidecars
 * are among them), containers, ephemeral containers, then image volumes. `path` is the path of the pod spec, which
 * begins the paths of the uses and of the problems noted.
 */
export const imageUses = (podSpec: JsonObject, path: string, note: Note): readonly ImageUse[] => {
  const uses: ImageUse[] = [];
  const add = (use: ImageUse | undefined): void => {
    if (use !== undefined) uses.push(use);
  };
  for (const { field, kind } of CONTAINER_LISTS) {
    const containers = listAt(podSpec, field, path, note);
    const list = `${path}.${field}`;
    for (let index = 0; index < containers.length; index += 1)
      add(useOfContainer(containers[index], kind, { list, index, field: 'image' }, note));
  }
  const volumes = listAt(podSpec, 'volumes', path, note);
  const list = `${path}.volumes`;
  for (let index = 0; index < volumes.length; index += 1)
    add(useOfVolume(volumes[index], { list, index, field: 'image.reference' }, note));
  return uses;
};

/** Marks the containers whose generic name is Istio's in this pod: it claims to be istiod's. */
export const markIstiod = (
  uses: readonly ImageUse[],
  metadata: unknown,
  podSpec: JsonObject,
): readonly ImageUse[] => {
  const isGeneric = ({ name, kind }: ImageUse) => kind !== 'image-volume' && genericContainerNames.has(name);
  return uses.some(isGeneric) && isIstiodPod(metadata, podSpec)
    ? uses.map((use) => (isGeneric(use) ? { ...use, inIstiod: true } : use))
    : uses;
};

const identity = ({ kind, name, image }: ImageUse, inIstiod = false): string =>
  `${kind}\n${name}\n${image}\n${inIstiod}`;

/**
 * Returns the uses that are new or have another image than before, compared by list and name: an image that moved to
 * another container is new, and so is one whose container has become istiod's.
 */
export const changedUses = (uses: readonly ImageUse[], before: readonly ImageUse[]): readonly ImageUse[] => {
  if (before.length === 0) return uses;
  const unchanged = new Set(
    before.flatMap((use) => [identity(use), ...(use.inIstiod === true ? [identity(use, true)] : [])]),
  );
  return uses.filter((use) => !unchanged.has(identity(use, use.inIstiod)));
};
