import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import { DOCKER_LIST, OCI_INDEX } from '../media-types.ts';
import type { Manifest } from '../source.ts';
import { listBlobs, readLayoutBlob } from './layout-files.ts';
import type { LayoutEntry } from './layout-index.ts';
import { hasName, isMarkedImage, isSignatures, signedDigestOf } from './layout-names.ts';
import { type ManifestSubject, mergeManifests, parseSubject } from './manifest-fields.ts';

const INDEX_TYPES: ReadonlySet<unknown> = new Set([OCI_INDEX, DOCKER_LIST]);
/** Manifests whose subjects are cached; a blob never changes. */
const MAX_CACHED_SUBJECTS = 50_000;

/** Blobs outside the index to search for cosign's bundles. */
const MAX_UNLISTED_BLOBS = 10_000;

/** An entry that refers to an image. */
export interface LayoutReferrer {
  readonly entry: LayoutEntry;
  readonly subject: Digest;
  readonly artifactType: string | undefined;
}

/** The manifests of a layout. Each function rejects with a `SourceFault` if a file is unreadable or malformed. */
export interface LayoutContent {
  readManifest(digest: Digest, declared: string | undefined, limit?: number): Promise<Manifest | undefined>;
  /**
   * Finds the entries of the index that refer to an image, and the bundles that cosign 3 stores in its layouts without
   * listing them in an index (cosign, pkg/cosign, `getLocalBundleDescriptors`).
   */
  findReferrers(entries: readonly LayoutEntry[]): Promise<readonly LayoutReferrer[]>;
  /**
   * Reads manifests, each once, until together they exceed the limit for one. Absent ones are skipped; malformed ones are
   * skipped unless all are.
   */
  readManifests(entries: readonly LayoutEntry[]): Promise<readonly Manifest[]>;
  /**
   * Reads the signature manifest of a tag: the union of all entries with this name, and of those without a name that cosign
   * stores beside the one image of its layouts. The signatures state their digest themselves.
   */
  readSignatures(entries: readonly LayoutEntry[], tag: string): Promise<Manifest | undefined>;
}

/** True if an entry is an image index, by its declared media type. */
export const isIndex = ({ mediaType }: LayoutEntry): boolean => INDEX_TYPES.has(mediaType);

/** True if cosign wrote a layout: it marks one image and gives no names. Other tools may have added entries since. */
const isCosignLayout = (entries: readonly LayoutEntry[]): boolean => {
  const [first, ...others] = entries.filter(isMarkedImage);
  return first !== undefined && (others.length === 0 || first.names.length === 0);
};

/** Lists the blobs that no entry names, in a layout that cosign wrote; none in any other. */
const findUnlisted = async (
  directory: string,
  entries: readonly LayoutEntry[],
): Promise<readonly LayoutEntry[]> => {
  if (!isCosignLayout(entries)) return [];
  const listed = new Set(entries.map(({ digest }) => digest));
  return (await listBlobs(directory, MAX_UNLISTED_BLOBS))
    .filter((digest) => !listed.has(digest))
    .map((digest) => ({ digest, mediaType: undefined, artifactType: undefined, names: [], kind: undefined }));
};

/** Creates the reader of a layout's manifests, each of at most `manifestBytes`. */
export const createLayoutContent = (directory: string, manifestBytes: number): LayoutContent => {
  const subjects = new LRUCache<Digest, ManifestSubject>({ max: MAX_CACHED_SUBJECTS });
  const inFlight = new Map<readonly LayoutEntry[], Promise<readonly LayoutReferrer[]>>();

  const readManifest: LayoutContent['readManifest'] = async (digest, mediaType, limit = manifestBytes) => {
    const bytes = await readLayoutBlob(directory, digest, Math.min(limit, manifestBytes));
    return bytes && { digest, mediaType, bytes };
  };

  /** Finds the subject of a manifest; undefined if the manifest is malformed, which must not hide the others. */
  const findSubject = async ({ digest }: LayoutEntry): Promise<ManifestSubject | undefined> => {
    const cached = subjects.get(digest);
    if (cached !== undefined) return cached;
    const manifest = await readManifest(digest, undefined).catch(() => undefined);
    if (manifest === undefined) return undefined;
    const subject = parseSubject(manifest.bytes);
    subjects.set(digest, subject);
    return subject;
  };

  const readManifests: LayoutContent['readManifests'] = async (entries) => {
    const manifests = new Map<Digest, Manifest>();
    let fault: unknown;
    let bytesLeft = manifestBytes;
    for (const { digest, mediaType } of entries) {
      if (bytesLeft < 0) break;
      try {
        const manifest = await readManifest(digest, mediaType);
        if (manifest === undefined || manifests.has(digest)) continue;
        manifests.set(digest, manifest);
        bytesLeft -= manifest.bytes.length;
      } catch (error) {
        fault ??= error;
      }
    }
    if (manifests.size === 0 && fault !== undefined) throw fault;
    return [...manifests.values()];
  };

  const collectReferrers = async (entries: readonly LayoutEntry[]): Promise<readonly LayoutReferrer[]> => {
    const referrers: LayoutReferrer[] = [];
    for (const entry of [...entries, ...(await findUnlisted(directory, entries))]) {
      if (isSignatures(entry) || isIndex(entry)) continue;
      const { subject, artifactType = entry.artifactType } = (await findSubject(entry)) ?? {};
      if (subject !== undefined) referrers.push({ entry, subject, artifactType });
    }
    return referrers;
  };

  return {
    readManifest,
    readManifests,
    // Concurrent callers share one reading: a large layout is not read once for each of them.
    findReferrers(entries) {
      const referrers =
        inFlight.get(entries) ?? collectReferrers(entries).finally(() => inFlight.delete(entries));
      inFlight.set(entries, referrers);
      return referrers;
    },
    async readSignatures(entries, tag) {
      const named = entries.filter((entry) => hasName(entry, tag));
      const nameless = entries.filter((entry) => isSignatures(entry) && signedDigestOf(entry) === undefined);
      return mergeManifests(await readManifests([...named, ...nameless]));
    },
  };
};
