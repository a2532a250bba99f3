import { LRUCache } from 'lru-cache';
import { type Digest, digestOf, parseDigest, parseImageReference } from '../../image/index.ts';
import { isJsonObject, parseJson } from '../json.ts';
import { parseReferrers, referrersTag } from '../referrers.ts';
import type { Manifest, Referrer, Source } from '../source.ts';
import { damaged, readLayoutBlob } from './layout-files.ts';
import { createReadIndex, type LayoutEntry } from './layout-index.ts';

/** An image that a layout holds, or holds signatures of. */
export interface LayoutImage {
  readonly digest: Digest;
  readonly names: readonly string[];
  /** Undefined: only its signatures are here. */
  readonly kind: 'image' | 'index' | undefined;
  /** Manifests of signatures and of bundles; what is in them nobody has verified. */
  readonly signatures: number;
  readonly referrers: number;
}

/** An OCI image layout on disk (OCI image-spec, image-layout.md). */
export interface Layout {
  readonly directory: string;
  /** The layout as a source, for images of this repository. */
  open(repository: string): Source;
  images(): Promise<readonly LayoutImage[]>;
}

export interface LayoutLimits {
  readonly manifestBytes: number;
  readonly blobBytes: number;
}

const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEXES: ReadonlySet<unknown> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const SIGNATURES = 'dev.cosignproject.cosign/sigs';
const ATTESTATIONS = 'dev.cosignproject.cosign/atts';
const SIGNATURE_TAG = /(?:^|:)(sha256)-([0-9a-f]{64})\.sig$/;
const REFERRERS_TAG = /(?:^|:)sha256-[0-9a-f]{64}$/;
/** `index.json` lists everything of a layout: as many manifests as one, so much longer. */
const INDEX_LENGTH = 8;
/** Manifests whose subject is remembered; a blob never changes. */
const SUBJECTS = 50_000;

const isNamed = ({ names }: LayoutEntry, tag: string): boolean =>
  names.some((name) => name === tag || name.endsWith(`:${tag}`));

/** The digest whose signatures an entry is named to hold. */
const signedBy = ({ names }: LayoutEntry): Digest | undefined => {
  const [, algorithm, hex] =
    names.map((name) => SIGNATURE_TAG.exec(name)).find((found) => found !== null) ?? [];
  return hex === undefined ? undefined : parseDigest(`${algorithm}:${hex}`);
};

const isSignatures = (entry: LayoutEntry): boolean =>
  entry.kind === SIGNATURES || signedBy(entry) !== undefined;

/** Whether an entry can be an image: nothing by which tools keep what is said about one. */
const couldBeImage = (entry: LayoutEntry): boolean =>
  !isSignatures(entry) &&
  entry.kind !== ATTESTATIONS &&
  !entry.names.some((name) => REFERRERS_TAG.test(name));

/** Whether a name is this tag of this repository, or a tag alone. */
const standsFor = (name: string, repository: string, tag: string): 'whole' | 'bare' | undefined => {
  if (name === tag) return 'bare';
  const parsed = name.includes('/') ? parseImageReference(name) : undefined;
  const isWhole =
    parsed?.ok === true && parsed.reference.repository === repository && parsed.reference.tag === tag;
  return isWhole ? 'whole' : undefined;
};

const layersOf = (bytes: Uint8Array): readonly unknown[] => {
  const manifest = parseJson(bytes);
  return isJsonObject(manifest) && Array.isArray(manifest['layers']) ? manifest['layers'] : [];
};

/** Opens a layout. Nothing is read before it is asked for something. */
export const openLayout = (directory: string, { manifestBytes, blobBytes }: LayoutLimits): Layout => {
  const readIndex = createReadIndex(directory, INDEX_LENGTH * manifestBytes);
  const subjects = new LRUCache<Digest, { readonly subject: Digest | undefined }>({ max: SUBJECTS });

  const readManifest = async (
    digest: Digest,
    declared: string | undefined,
  ): Promise<Manifest | undefined> => {
    const bytes = await readLayoutBlob(directory, digest, manifestBytes);
    return bytes && { digest, mediaType: declared, bytes };
  };

  /** What a manifest refers to. One that is broken refers to nothing: it must not hide the others. */
  const subjectOf = async ({ digest }: LayoutEntry): Promise<Digest | undefined> => {
    const known = subjects.get(digest);
    if (known !== undefined) return known.subject;
    const manifest = await readManifest(digest, undefined).catch(() => undefined);
    if (manifest === undefined) return undefined;
    const document = parseJson(manifest.bytes);
    const named = isJsonObject(document) ? document['subject'] : undefined;
    const text = isJsonObject(named) ? named['digest'] : undefined;
    const subject = typeof text === 'string' ? parseDigest(text) : undefined;
    subjects.set(digest, { subject });
    return subject;
  };

  /** Entries that may refer to something. Signatures under a tag do not, and an index is none that we read. */
  const findReferring = async (
    entries: readonly LayoutEntry[],
  ): Promise<readonly { readonly entry: LayoutEntry; readonly subject: Digest }[]> => {
    const found: { readonly entry: LayoutEntry; readonly subject: Digest }[] = [];
    for (const entry of entries) {
      if (isSignatures(entry) || INDEXES.has(entry.mediaType)) continue;
      const subject = await subjectOf(entry);
      if (subject !== undefined) found.push({ entry, subject });
    }
    return found;
  };

  /** What the fallback tag lists, wherever a tool has copied one from. */
  const listByTag = async (entries: readonly LayoutEntry[], digest: Digest): Promise<readonly Referrer[]> => {
    const index = entries.find((entry) => isNamed(entry, referrersTag(digest)));
    const manifest = index && (await readManifest(index.digest, undefined));
    return (manifest && parseReferrers(manifest.bytes)) ?? [];
  };

  const referrers: Source['referrers'] = async (digest) => {
    const entries = await readIndex();
    const referring = await findReferring(entries);
    const own = referring
      .filter(({ subject }) => subject === digest)
      .map(({ entry }) => ({ digest: entry.digest, artifactType: entry.artifactType }));
    const all = [...own, ...(await listByTag(entries, digest))];
    const distinct = new Map(all.map((referrer) => [referrer.digest, referrer]));
    return { descriptors: [...distinct.values()], more: false };
  };

  /**
   * The signature manifest of a digest: the union of all that are named for it, and of those that cosign keeps without
   * a name, beside the one image of its layouts. Signatures name their digest themselves.
   */
  const readSignatures = async (tag: string): Promise<Manifest | undefined> => {
    const entries = await readIndex();
    const named = entries.filter((entry) => isNamed(entry, tag));
    const nameless = entries.filter((entry) => entry.kind === SIGNATURES && entry.names.length === 0);
    const manifests: Manifest[] = [];
    for (const { digest, mediaType } of [...named, ...nameless]) {
      const manifest = await readManifest(digest, mediaType);
      if (manifest !== undefined) manifests.push(manifest);
    }
    if (manifests.length < 2) return manifests[0];
    const layers = new Map(
      manifests.flatMap(({ bytes }) => layersOf(bytes)).map((layer) => [JSON.stringify(layer), layer]),
    );
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_MANIFEST, layers: [...layers.values()] }),
    );
    return { digest: digestOf(bytes), mediaType: IMAGE_MANIFEST, bytes };
  };

  const resolve = async (repository: string, tag: string): Promise<Digest | undefined> => {
    const entries = (await readIndex()).filter(couldBeImage);
    for (const how of ['whole', 'bare'] as const) {
      const found = entries.filter(({ names }) =>
        names.some((name) => standsFor(name, repository, tag) === how),
      );
      const digests = [...new Set(found.map(({ digest }) => digest))];
      if (digests.length > 1)
        throw damaged(directory, `${digests.length} images have the name ${tag}: name this one by digest`);
      if (digests.length === 1) return digests[0];
    }
    return undefined;
  };

  return {
    directory,
    open: (repository) => ({
      id: `evidence ${directory}`,
      resolve: (tag) => resolve(repository, tag),
      async manifest(at) {
        if ('digest' in at) return readManifest(at.digest, undefined);
        return SIGNATURE_TAG.test(at.tag) ? readSignatures(at.tag) : undefined;
      },
      blob: (digest) => readLayoutBlob(directory, digest, blobBytes),
      referrers,
    }),
    async images() {
      const entries = await readIndex();
      const referring = await findReferring(entries);
      return collectImages(entries, referring);
    },
  };
};

/** Every digest that a layout holds an image of, or something that is said about one, in the order of its index. */
const collectImages = (
  entries: readonly LayoutEntry[],
  referring: readonly { readonly entry: LayoutEntry; readonly subject: Digest }[],
): readonly LayoutImage[] => {
  const images = new Map<Digest, LayoutImage>();
  const change = (digest: Digest, changeOf: (image: LayoutImage) => Partial<LayoutImage>): void => {
    const before = images.get(digest) ?? { digest, names: [], kind: undefined, signatures: 0, referrers: 0 };
    images.set(digest, { ...before, ...changeOf(before) });
  };
  const about = new Set(referring.map(({ entry }) => entry));
  for (const entry of entries.filter((one) => couldBeImage(one) && !about.has(one)))
    change(entry.digest, ({ names }) => ({
      names: [...new Set([...names, ...entry.names])],
      kind: INDEXES.has(entry.mediaType) ? 'index' : 'image',
    }));
  const [only, ...others] = images.keys();
  for (const entry of entries.filter(isSignatures)) {
    // cosign names nothing: its layouts hold one image.
    const digest = signedBy(entry) ?? (others.length === 0 ? only : undefined);
    if (digest !== undefined) change(digest, ({ signatures }) => ({ signatures: signatures + 1 }));
  }
  for (const { subject } of referring) change(subject, ({ referrers }) => ({ referrers: referrers + 1 }));
  return [...images.values()];
};
