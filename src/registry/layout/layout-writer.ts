import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, parseJson } from '../../base/index.ts';
import { type Digest, digestOf } from '../../image/index.ts';
import { parseIndexDescriptors } from '../image-index.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../media-types.ts';
import { withFileLock } from './file-lock.ts';
import { blobPath, readLayoutBlob } from './layout-files.ts';

/** A manifest to keep, with the blobs of it that are needed. */
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
   * Adds manifests. Blobs are written before the index names them, and each file appears whole or not at all, so a
   * reader never sees half. Rejects where the directory cannot be written, and what was there stays readable.
   */
  add(entries: readonly EvidenceEntry[]): Promise<void>;
}

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';
/** What a volume, or a former run that was ended, may have left in a directory that is empty otherwise. */
const HARMLESS = /^(?:lost\+found|sailmark-tags\.json|(?:oci-layout|sailmark-tags\.json)\.[^.]+\.tmp|\..*)$/;

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

/** Writes a file so that it appears whole or not at all. */
export const writeAtomically = async (path: string, bytes: Uint8Array | string): Promise<void> => {
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(beside, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
};

const descriptorOf = ({ manifest, annotations }: EvidenceEntry): Descriptor => {
  const document = parseJson(manifest.bytes);
  const textAt = (name: string): string | undefined => {
    const value = isJsonObject(document) ? document[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const artifactType = textAt('artifactType');
  return {
    mediaType: textAt('mediaType') ?? manifest.mediaType ?? OCI_MANIFEST,
    digest: manifest.digest,
    size: manifest.bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
};

/** One line for the same manifest under the same names. */
const identityOf = ({ digest, annotations: written }: Descriptor): string => {
  const annotations = isJsonObject(written) ? written : {};
  const names = Object.keys(annotations).toSorted((one, other) => (one < other ? -1 : 1));
  return JSON.stringify([digest, ...names.map((name) => [name, annotations[name]])]);
};

/** The index that is there now; another process may have written it. */
const readDescriptors = async (path: string): Promise<readonly Descriptor[]> => {
  if (!(await exists(path))) return [];
  const descriptors = parseIndexDescriptors(await readFile(path));
  if (descriptors?.every(isJsonObject) !== true)
    throw new Error(`${path} is no image index: move it away, and what it should hold is fetched again`);
  return descriptors as readonly unknown[] as readonly Descriptor[];
};

const addToIndex = async (path: string, added: readonly Descriptor[]): Promise<void> => {
  const before = await readDescriptors(path);
  const all = new Map([...before, ...added].map((one) => [identityOf(one), one]));
  if (all.size === before.length && (await exists(path))) return;
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...all.values()] };
  await writeAtomically(path, JSON.stringify(index));
};

const prepare = async (directory: string): Promise<void> => {
  await mkdir(directory, { recursive: true });
  const marker = join(directory, 'oci-layout');
  // First: what is ended here must find a layout at its next start, not a directory of somebody else.
  if (!(await exists(marker))) await writeAtomically(marker, LAYOUT);
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
};

/** Throws where a directory holds something else than a layout: nobody wants that mixed up. */
export const checkIsLayout = async (directory: string): Promise<void> => {
  const found = await readdir(directory).catch((error: unknown): readonly string[] => {
    if ((error as { readonly code?: unknown }).code === 'ENOENT') return [];
    throw error;
  });
  if (found.includes('oci-layout') || found.every((name) => HARMLESS.test(name))) return;
  throw new Error(`${directory} is neither empty nor an OCI image layout: name another directory`);
};

/** Writes an OCI image layout (OCI image-spec, image-layout.md). Additions go one after the other, those of other processes too. */
export const createLayoutWriter = (directory: string): LayoutWriter => {
  let last: Promise<void> = Promise.resolve();

  const writeBlob = async (bytes: Uint8Array): Promise<void> => {
    const digest = digestOf(bytes);
    // One of that name may be half of a copy that somebody else's tool was making, or damaged.
    const kept = await readLayoutBlob(directory, digest, bytes.length).catch(() => undefined);
    if (kept === undefined) await writeAtomically(blobPath(directory, digest), bytes);
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
