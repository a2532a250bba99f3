import { LRUCache } from 'lru-cache';
import { type Digest, digestOf, parseDigest } from '../../image/index.ts';
import { isJsonObject, parseJson } from '../json.ts';
import type { Manifest } from '../source.ts';
import { readLayoutBlob } from './layout-files.ts';
import type { LayoutEntry } from './layout-index.ts';
import { isNamed, isSignatures, SIGNATURES } from './layout-names.ts';

const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEXES: ReadonlySet<unknown> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
/** Manifests whose subject is remembered; a blob never changes. */
const SUBJECTS = 50_000;

/** An entry that refers to an image. */
export interface Referring {
  readonly entry: LayoutEntry;
  readonly subject: Digest;
}

/** The manifests of a layout. Each rejects with a `SourceFault` where the disk or the bytes are at fault. */
export interface LayoutContent {
  readManifest(digest: Digest, declared: string | undefined): Promise<Manifest | undefined>;
  findReferring(entries: readonly LayoutEntry[]): Promise<readonly Referring[]>;
  /**
   * The signature manifest under a tag: the union of all that are named so, and of those that cosign keeps without a
   * name, beside the one image of its layouts. Signatures name their digest themselves.
   */
  readSignatures(entries: readonly LayoutEntry[], tag: string): Promise<Manifest | undefined>;
}

/** Whether an entry is an index of images, by what it says of itself. */
export const isIndex = ({ mediaType }: LayoutEntry): boolean => INDEXES.has(mediaType);

const layersOf = (bytes: Uint8Array): readonly unknown[] => {
  const manifest = parseJson(bytes);
  return isJsonObject(manifest) && Array.isArray(manifest['layers']) ? manifest['layers'] : [];
};

/** One manifest of the distinct layers of several; under a tag its digest is its own affair. */
const unite = (manifests: readonly Manifest[]): Manifest | undefined => {
  if (manifests.length < 2) return manifests[0];
  const layers = new Map(
    manifests.flatMap(({ bytes }) => layersOf(bytes)).map((layer) => [JSON.stringify(layer), layer]),
  );
  const united = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, layers: [...layers.values()] };
  const bytes = Buffer.from(JSON.stringify(united));
  return { digest: digestOf(bytes), mediaType: IMAGE_MANIFEST, bytes };
};

const subjectIn = (bytes: Uint8Array): Digest | undefined => {
  const document = parseJson(bytes);
  const subject = isJsonObject(document) ? document['subject'] : undefined;
  const digest = isJsonObject(subject) ? subject['digest'] : undefined;
  return typeof digest === 'string' ? parseDigest(digest) : undefined;
};

/** Reads manifests of at most `manifestBytes`. */
export const createLayoutContent = (directory: string, manifestBytes: number): LayoutContent => {
  const subjects = new LRUCache<Digest, { readonly subject: Digest | undefined }>({ max: SUBJECTS });

  const readManifest: LayoutContent['readManifest'] = async (digest, mediaType) => {
    const bytes = await readLayoutBlob(directory, digest, manifestBytes);
    return bytes && { digest, mediaType, bytes };
  };

  /** What a manifest refers to. One that is broken refers to nothing: it must not hide the others. */
  const subjectOf = async ({ digest }: LayoutEntry): Promise<Digest | undefined> => {
    const known = subjects.get(digest);
    if (known !== undefined) return known.subject;
    const manifest = await readManifest(digest, undefined).catch(() => undefined);
    if (manifest === undefined) return undefined;
    const subject = subjectIn(manifest.bytes);
    subjects.set(digest, { subject });
    return subject;
  };

  return {
    readManifest,
    async findReferring(entries) {
      const found: Referring[] = [];
      for (const entry of entries) {
        if (isSignatures(entry) || isIndex(entry)) continue;
        const subject = await subjectOf(entry);
        if (subject !== undefined) found.push({ entry, subject });
      }
      return found;
    },
    async readSignatures(entries, tag) {
      const named = entries.filter((entry) => isNamed(entry, tag));
      const nameless = entries.filter(({ kind, names }) => kind === SIGNATURES && names.length === 0);
      const manifests: Manifest[] = [];
      for (const { digest, mediaType } of [...named, ...nameless]) {
        const manifest = await readManifest(digest, mediaType);
        if (manifest !== undefined) manifests.push(manifest);
      }
      return unite(manifests);
    },
  };
};
