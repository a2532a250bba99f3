import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, textOf } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { parseIndexDescriptors } from '../image-index.ts';
import { SourceFault } from '../source.ts';
import { KIND, NAME } from './annotations.ts';
import { invalidLayout, isAbsence, readLayoutFile, unreadableLayout } from './layout-files.ts';

/** A descriptor of `index.json`. Descriptors without a sha256 digest are ignored. */
export interface LayoutEntry {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly artifactType: string | undefined;
  /** Each name is a tag or a whole reference. */
  readonly names: readonly string[];
  /** cosign's annotation for the kind, `dev.cosignproject.cosign/sigs`. */
  readonly kind: string | undefined;
}

/** The annotations with names: the specification's, and containerd's. */
const NAME_ANNOTATIONS = [NAME, 'io.containerd.image.name'] as const;

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
      names: NAME_ANNOTATIONS.flatMap((name) => textOf(annotations[name]) ?? []),
      kind: textOf(annotations[KIND]),
    },
  ];
};

/** Returns the entries of a layout, read again when `index.json` was replaced or changed. */
export type ReadIndex = () => Promise<readonly LayoutEntry[]>;

/**
 * Reads `index.json`, which may be a link, as the kubelet mounts files. Rejects with a `SourceFault` if the directory is not
 * a layout, or one that is being written.
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
    if (descriptors === undefined) throw invalidLayout(directory, 'its index.json is not an image index');
    return descriptors.flatMap(entryOf);
  };

  return async () => {
    const current = await findVersion();
    if (current === version) return reading;
    // Concurrent callers share one reading. A failed one is not cached.
    const started = read();
    [version, reading] = [current, started];
    started.catch(() => {
      if (reading === started) version = '';
    });
    return started;
  };
};
