import { LRUCache } from 'lru-cache';
import { isJsonObject, parseJson } from '../../base/index.ts';
import { type Digest, digestOf, parseDigest } from '../../image/index.ts';
import { DOCKER_LIST, OCI_INDEX, OCI_MANIFEST } from '../media-types.ts';
import type { Manifest } from '../source.ts';
import { listBlobs, readLayoutBlob } from './layout-files.ts';
import type { LayoutEntry } from './layout-index.ts';
import { hasName, isMarkedImage, isSignatures, signedDigestOf } from './layout-names.ts';

const INDEXES: ReadonlySet<unknown> = new Set([OCI_INDEX, DOCKER_LIST]);
/** Manifests of which it is remembered what they say of themselves; a blob never changes. */
const KNOWN = 50_000;

/** Blobs that no index names, in which cosign's bundles are looked for. */
const STRAYS = 10_000;

/** An entry that refers to an image. */
export interface LayoutReferrer {
  readonly entry: LayoutEntry;
  readonly subject: Digest;
  readonly artifactType: string | undefined;
}

/** What a manifest says of itself; tools leave it out of the layout's index. */
interface About {
  readonly subject: Digest | undefined;
  readonly artifactType: string | undefined;
}

/** The manifests of a layout. Each rejects with a `SourceFault` where the disk or the bytes are at fault. */
export interface LayoutContent {
  readManifest(digest: Digest, declared: string | undefined): Promise<Manifest | undefined>;
  /**
   * What refers to an image: entries of the index, and what cosign 3 keeps beside the one image of its layouts, where no
   * index names it (cosign, pkg/cosign, `getLocalBundleDescriptors`).
   */
  findReferrers(entries: readonly LayoutEntry[]): Promise<readonly LayoutReferrer[]>;
  /**
   * The manifests that are there, each once, the first as long together as one may be. Broken ones are left out while
   * there is another.
   */
  readManifests(entries: readonly LayoutEntry[]): Promise<readonly Manifest[]>;
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
const unite = (manifests: readonly Manifest[]): Manifest => {
  const layers = new Map(
    manifests.flatMap(({ bytes }) => layersOf(bytes)).map((layer) => [JSON.stringify(layer), layer]),
  );
  const united = { schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [...layers.values()] };
  const bytes = Buffer.from(JSON.stringify(united));
  return { digest: digestOf(bytes), mediaType: OCI_MANIFEST, bytes };
};

const aboutOf = (bytes: Uint8Array): About => {
  const document = parseJson(bytes);
  if (!isJsonObject(document)) return { subject: undefined, artifactType: undefined };
  const { subject, artifactType } = document;
  const digest = isJsonObject(subject) ? subject['digest'] : undefined;
  return {
    subject: typeof digest === 'string' ? parseDigest(digest) : undefined,
    artifactType: typeof artifactType === 'string' ? artifactType : undefined,
  };
};

/** Whether cosign wrote a layout: it marks one image, and names none. Others may have added to it since. */
const isOfCosign = (entries: readonly LayoutEntry[]): boolean => {
  const [first, ...others] = entries.filter(isMarkedImage);
  return first !== undefined && (others.length === 0 || first.names.length === 0);
};

/** Blobs that no entry names, in a layout of cosign's; none in any other. */
const findStrays = async (
  directory: string,
  entries: readonly LayoutEntry[],
): Promise<readonly LayoutEntry[]> => {
  if (!isOfCosign(entries)) return [];
  const named = new Set(entries.map(({ digest }) => digest));
  return (await listBlobs(directory, STRAYS))
    .filter((digest) => !named.has(digest))
    .map((digest) => ({ digest, mediaType: undefined, artifactType: undefined, names: [], kind: undefined }));
};

/** Reads manifests of at most `manifestBytes`. */
export const createLayoutContent = (directory: string, manifestBytes: number): LayoutContent => {
  const known = new LRUCache<Digest, About>({ max: KNOWN });
  const finding = new Map<readonly LayoutEntry[], Promise<readonly LayoutReferrer[]>>();

  const readManifest: LayoutContent['readManifest'] = async (digest, mediaType) => {
    const bytes = await readLayoutBlob(directory, digest, manifestBytes);
    return bytes && { digest, mediaType, bytes };
  };

  /** What a manifest says of itself. One that is broken says nothing: it must not hide the others. */
  const findAbout = async ({ digest }: LayoutEntry): Promise<About | undefined> => {
    const remembered = known.get(digest);
    if (remembered !== undefined) return remembered;
    const manifest = await readManifest(digest, undefined).catch(() => undefined);
    if (manifest === undefined) return undefined;
    const about = aboutOf(manifest.bytes);
    known.set(digest, about);
    return about;
  };

  const readReadable: LayoutContent['readManifests'] = async (entries) => {
    const manifests = new Map<Digest, Manifest>();
    let fault: unknown;
    let left = manifestBytes;
    for (const { digest, mediaType } of entries) {
      if (left < 0) break;
      try {
        const manifest = await readManifest(digest, mediaType);
        if (manifest === undefined || manifests.has(digest)) continue;
        manifests.set(digest, manifest);
        left -= manifest.bytes.length;
      } catch (error) {
        fault ??= error;
      }
    }
    if (manifests.size === 0 && fault !== undefined) throw fault;
    return [...manifests.values()];
  };

  const collectReferring = async (entries: readonly LayoutEntry[]): Promise<readonly LayoutReferrer[]> => {
    const found: LayoutReferrer[] = [];
    for (const entry of [...entries, ...(await findStrays(directory, entries))]) {
      if (isSignatures(entry) || isIndex(entry)) continue;
      const { subject, artifactType = entry.artifactType } = (await findAbout(entry)) ?? {};
      if (subject !== undefined) found.push({ entry, subject, artifactType });
    }
    return found;
  };

  return {
    readManifest,
    readManifests: readReadable,
    // Whoever asks while it is read waits for the same reading: a large layout is not read once for each of them.
    findReferrers(entries) {
      const found = finding.get(entries) ?? collectReferring(entries).finally(() => finding.delete(entries));
      finding.set(entries, found);
      return found;
    },
    async readSignatures(entries, tag) {
      const named = entries.filter((entry) => hasName(entry, tag));
      const nameless = entries.filter((entry) => isSignatures(entry) && signedDigestOf(entry) === undefined);
      const manifests = await readReadable([...named, ...nameless]);
      return manifests.length < 2 ? manifests[0] : unite(manifests);
    },
  };
};
