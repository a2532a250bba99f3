import { isJsonObject, listMemberOf, parseJson, textOf } from '../../base/index.ts';
import { type Digest, digestOf, parseDigest } from '../../image/index.ts';
import { manifestTypeOf } from '../manifest-type.ts';
import { OCI_MANIFEST } from '../media-types.ts';
import type { Manifest } from '../source.ts';

/** The subject of a manifest, as it states itself; tools leave it out of the layout's index. */
export interface ManifestSubject {
  readonly subject: Digest | undefined;
  readonly artifactType: string | undefined;
}

const layersOf = (bytes: Uint8Array): readonly unknown[] => listMemberOf(parseJson(bytes), 'layers') ?? [];

/**
 * Merges the distinct layers of several manifests into one, which is returned under a tag, so its digest is free. Undefined
 * if there is none; a single one keeps its bytes.
 */
export const mergeManifests = (manifests: readonly Manifest[]): Manifest | undefined => {
  const [first] = manifests;
  if (manifests.length < 2)
    return first && { ...first, mediaType: manifestTypeOf(first.mediaType, first.bytes) };
  const layers = new Map(
    manifests.flatMap(({ bytes }) => layersOf(bytes)).map((layer) => [JSON.stringify(layer), layer]),
  );
  const merged = { schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [...layers.values()] };
  const bytes = Buffer.from(JSON.stringify(merged));
  return { digest: digestOf(bytes), mediaType: OCI_MANIFEST, bytes };
};

/** Parses the subject of a manifest; undefined values if it is malformed. */
export const parseSubject = (bytes: Uint8Array): ManifestSubject => {
  const document = parseJson(bytes);
  if (!isJsonObject(document)) return { subject: undefined, artifactType: undefined };
  const { subject, artifactType } = document;
  const digest = isJsonObject(subject) ? subject['digest'] : undefined;
  return {
    subject: typeof digest === 'string' ? parseDigest(digest) : undefined,
    artifactType: textOf(artifactType),
  };
};
