import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, memberOf, parseJson, readFileWithin, textOf } from '../../base/index.ts';
import { type Digest, digestOf } from '../../image/index.ts';
import { parseIndexDescriptors } from '../image-index.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../media-types.ts';
import { withFileLock } from './file-lock.ts';
import { blobPath, readLayoutBlob } from './layout-files.ts';

/** A manifest to store, with the blobs of it that are needed. */
export interface EvidenceEntry {
  readonly manifest: {
    readonly digest: Digest;
    readonly mediaType: string | undefined;
    readonly bytes: Uint8Array;
  };
  readonly blobs: readonly Uint8Array[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface LayoutWriter {
  /**
   * Adds manifests. Blobs are written before the index names them, and each file is written atomically, so a reader never
   * sees an incomplete one. Rejects if the directory cannot be written; what was stored before stays readable.
   */
  add(entries: readonly EvidenceEntry[]): Promise<void>;
}

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';
/** Files of a volume, or of an earlier run that was killed, in a directory that is otherwise empty. */
const IGNORED_FILES =
  /^(?:lost\+found|sailmark-tags\.json|(?:oci-layout|sailmark-tags\.json)\.[^.]+\.tmp|\..*)$/;

/** Bounds memory: more than any index that a layout is read with. */
const MAX_INDEX_BYTES = 512 * 1024 * 1024;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Writes a file atomically: a reader sees all of it or none. */
export const writeAtomically = async (path: string, bytes: Uint8Array | string): Promise<void> => {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

const descriptorOf = ({ manifest, annotations }: EvidenceEntry): Descriptor => {
  const document = parseJson(manifest.bytes);
  const textAt = (name: string): string | undefined => textOf(memberOf(document, name));
  const artifactType = textAt('artifactType');
  return {
    mediaType: textAt('mediaType') ?? manifest.mediaType ?? OCI_MANIFEST,
    digest: manifest.digest,
    size: manifest.bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
};

/** Returns a key that is equal for the same manifest with the same annotations. */
const identityOf = ({ digest, annotations: declared }: Descriptor): string => {
  const annotations = isJsonObject(declared) ? declared : {};
  const names = Object.keys(annotations).toSorted((left, right) => (left < right ? -1 : 1));
  return JSON.stringify([digest, ...names.map((name) => [name, annotations[name]])]);
};

/** Reads the current index, which another process may have written. */
const readDescriptors = async (path: string): Promise<readonly Descriptor[]> => {
  if (!(await exists(path))) return [];
  const descriptors = parseIndexDescriptors(await readFileWithin(path, MAX_INDEX_BYTES));
  if (descriptors?.every(isJsonObject) !== true)
    throw new Error(`${path} is not an image index; move it away, and its content is fetched again`);
  return descriptors as readonly unknown[] as readonly Descriptor[];
};

const addToIndex = async (path: string, added: readonly Descriptor[]): Promise<void> => {
  const before = await readDescriptors(path);
  const all = new Map([...before, ...added].map((descriptor) => [identityOf(descriptor), descriptor]));
  if (all.size === before.length && (await exists(path))) return;
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...all.values()] };
  await writeAtomically(path, JSON.stringify(index));
};

const prepare = async (directory: string): Promise<void> => {
  await mkdir(directory, { recursive: true });
  const marker = join(directory, 'oci-layout');
  // The marker comes first: a process killed here must find a layout at its next start, not a foreign directory.
  if (!(await exists(marker))) await writeAtomically(marker, LAYOUT);
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
};

/** Rejects if a directory contains anything other than a layout, so that no foreign files are mixed in. */
export const checkIsLayout = async (directory: string): Promise<void> => {
  const files = await readdir(directory).catch((error: unknown): readonly string[] => {
    const { code } = error as { readonly code?: unknown };
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw new Error(`${directory} is a file, or is below one: name a directory`);
    throw error;
  });
  if (files.includes('oci-layout') || files.every((name) => IGNORED_FILES.test(name))) return;
  throw new Error(`${directory} is neither empty nor an OCI image layout; choose another directory`);
};

/** Writes an OCI image layout (OCI image-spec, image-layout.md). Additions are serialized, across processes too. */
export const createLayoutWriter = (directory: string): LayoutWriter => {
  let last: Promise<void> = Promise.resolve();

  const writeBlob = async (bytes: Uint8Array): Promise<void> => {
    const digest = digestOf(bytes);
    // An existing file may be damaged, or the incomplete copy of another tool.
    const existing = await readLayoutBlob(directory, digest, bytes.length).catch(() => undefined);
    if (existing === undefined) await writeAtomically(blobPath(directory, digest), bytes);
  };

  const write = async (entries: readonly EvidenceEntry[]): Promise<void> => {
    await checkIsLayout(directory);
    await prepare(directory);
    for (const { manifest, blobs } of entries)
      for (const bytes of [...blobs, manifest.bytes]) await writeBlob(bytes);
    await withFileLock(directory, () => addToIndex(join(directory, 'index.json'), entries.map(descriptorOf)));
  };

  return {
    add(entries) {
      const added = last.then(() => write(entries));
      last = added.catch(() => undefined);
      return added;
    },
  };
};
