import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Image layouts on disk, as the OCI Image Format Specification 1.1 describes them: what is pushed is first written here, so that
 * its digest is known, and what is inside can be verified, before anything leaves the machine.
 */

export type Annotations = Readonly<Record<string, string>>;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly annotations?: Annotations;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Annotations;
}

export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Annotations;
}

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** Returns the SHA-256 of bytes as hexadecimal digits. */
export const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Returns the path of a blob. */
export const blobPath = (layout: string, digest: string): string =>
  join(layout, 'blobs', ...digest.split(':'));

/** Reads a manifest, index or configuration by its digest. */
export const readJsonBlob = <Content>(layout: string, { digest }: { readonly digest: string }): Content =>
  JSON.parse(readFileSync(blobPath(layout, digest), 'utf8')) as Content;

/** Writes a blob and returns its descriptor. */
export const writeBlob = (layout: string, mediaType: string, bytes: string | Uint8Array): Descriptor => {
  const digest = `sha256:${sha256(bytes)}`;
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true });
  writeFileSync(blobPath(layout, digest), bytes);
  return { mediaType, digest, size: Buffer.byteLength(bytes) };
};

/** Reads the descriptors of a layout's index.json. */
export const readEntries = (layout: string): readonly Descriptor[] =>
  (JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as Index).manifests;

/** Writes index.json and `oci-layout`, so that the layout holds one image or artifact under one name. */
export const writeEntry = (layout: string, name: string, descriptor: Descriptor): void => {
  const entry = { ...descriptor, annotations: { [REF_NAME]: name } };
  const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [entry] } satisfies Index;
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
};

/** Returns a message for each blob of a layout whose content is not its digest, and for each that is named and missing. */
export const findBadBlobs = (layout: string): readonly string[] => {
  const directory = join(layout, 'blobs', 'sha256');
  const wrong = readdirSync(directory).filter((hex) => sha256(readFileSync(join(directory, hex))) !== hex);
  const named = (descriptor: Descriptor): readonly string[] => {
    if (!existsSync(blobPath(layout, descriptor.digest)))
      return [`${layout}: ${descriptor.digest} is missing`];
    if (descriptor.mediaType === INDEX_TYPE)
      return readJsonBlob<Index>(layout, descriptor).manifests.flatMap(named);
    if (descriptor.mediaType !== MANIFEST_TYPE) return [];
    const { config, layers } = readJsonBlob<Manifest>(layout, descriptor);
    return [config, ...layers].flatMap(named);
  };
  return [
    ...wrong.map((hex) => `${layout}: the content of sha256:${hex} has another digest`),
    ...readEntries(layout).flatMap(named),
  ];
};
