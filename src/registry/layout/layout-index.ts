import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { parseIndexDescriptors } from '../image-index.ts';
import { SourceFault } from '../source.ts';
import { KIND, NAME } from './annotations.ts';
import { invalidLayout, isAbsence, readLayoutFile, unreadableLayout } from './layout-files.ts';

/** A descriptor of `index.json`. Those of no sha256 digest are left out. */
export interface LayoutEntry {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly artifactType: string | undefined;
  /** What it is called: a tag, or a whole reference. */
  readonly names: readonly string[];
  /** cosign's word for what it is, `dev.cosignproject.cosign/sigs`. */
  readonly kind: string | undefined;
}

/** The names tools give: the specification's annotation, and containerd's. */
const NAMES = [NAME, 'io.containerd.image.name'] as const;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const entryOf = (descriptor: unknown): readonly LayoutEntry[] => {
  if (!isJsonObject(descriptor)) return [];
  const digest = parseDigest(textOf(descriptor['digest']) ?? '');
  if (digest === undefined) return [];
  const annotations = isJsonObject(descriptor['annotations']) ? descriptor['annotations'] : {};
  return [
    {
      digest,
      mediaType: textOf(descriptor['mediaType']),
      artifactType: textOf(descriptor['artifactType']),
      names: NAMES.flatMap((name) => textOf(annotations[name]) ?? []),
      kind: textOf(annotations[KIND]),
    },
  ];
};

/** Gives the entries of a layout, read again when its `index.json` is another file or has changed. */
export type ReadIndex = () => Promise<readonly LayoutEntry[]>;

/**
 * Reads `index.json`. It may be a link, as a kubelet mounts files. Rejects with a `SourceFault` where the directory is
 * no layout, or one that is being written.
 */
export const createReadIndex = (directory: string, limit: number): ReadIndex => {
  const path = join(directory, 'index.json');
  let version = '';
  let reading: Promise<readonly LayoutEntry[]> = Promise.resolve([]);

  const findVersion = async (): Promise<string> => {
    const { mtimeMs, ctimeMs, size, ino } = await stat(path).catch((error: unknown) => {
      if (!isAbsence(error)) throw unreadableLayout(directory, error);
      const detail = `there is no evidence in ${directory}: no index.json`;
      throw new SourceFault('unavailable', detail, { asked: true });
    });
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  };
  const read = async (): Promise<readonly LayoutEntry[]> => {
    const bytes = await readLayoutFile(directory, path, limit);
    const descriptors = bytes && parseIndexDescriptors(bytes);
    if (descriptors === undefined) throw invalidLayout(directory, 'its index.json is no image index');
    return descriptors.flatMap(entryOf);
  };

  return async () => {
    const now = await findVersion();
    if (now === version) return reading;
    // All who ask meanwhile wait for the one that reads. What failed is read again.
    const begun = read();
    [version, reading] = [now, begun];
    begun.catch(() => {
      if (reading === begun) version = '';
    });
    return begun;
  };
};
