import { isJsonObject, type JsonObject, listMemberOf, memberOf, parseJson } from '../base/index.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1,
  MANIFEST_TYPES,
  OCI_ARTIFACT,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts';

const INDEX_TYPES: readonly unknown[] = [OCI_INDEX, DOCKER_LIST];
const IMAGE_TYPES: readonly unknown[] = [OCI_MANIFEST, DOCKER_MANIFEST];

const isImageManifest = (document: JsonObject): boolean =>
  isJsonObject(memberOf(document, 'config')) && listMemberOf(document, 'layers') !== undefined;

/**
 * Returns the media type of a manifest or an index by its content: its own `mediaType`, or OCI's if it has none but states its
 * version (image-spec, manifest.md, image-index.md). Undefined for everything else, such as a login page in JSON.
 */
const typeOfContent = (bytes: Uint8Array): string | undefined => {
  const document = parseJson(bytes);
  if (!isJsonObject(document)) return undefined;
  const isIndex = Array.isArray(memberOf(document, 'manifests'));
  if (!isIndex && !isImageManifest(document)) return undefined;
  const [types, unnamed] = isIndex ? [INDEX_TYPES, OCI_INDEX] : [IMAGE_TYPES, OCI_MANIFEST];
  const mediaType = memberOf(document, 'mediaType');
  if (mediaType === undefined) return document['schemaVersion'] === 2 ? unnamed : undefined;
  return types.includes(mediaType) ? (mediaType as string) : undefined;
};

/**
 * Returns the media type of a manifest: as declared, or by its content if another type is declared, as static servers do by the
 * "extension" of a tag. Undefined if it is no manifest.
 */
export const manifestTypeOf = (declared: string | undefined, bytes: Uint8Array): string | undefined =>
  declared !== undefined && MANIFEST_TYPES.includes(declared) ? declared : typeOfContent(bytes);

/** A media type that manifests name themselves by (RFC 6838 §4.2). */
const APPLICATION_TYPE = /^application\/[A-Za-z0-9!#$&^_.+-]{1,127}$/;

/**
 * Returns the media type of a manifest that is neither of an image nor an index: an artifact manifest (image-spec 1.1.0-rc2), a
 * Docker manifest of schema 1, or any document that names its own type. Undefined for other JSON, such as a login page.
 */
export const foreignTypeOf = (declared: string | undefined, bytes: Uint8Array): string | undefined => {
  const document = parseJson(bytes);
  if (!isJsonObject(document)) return undefined;
  if (document['schemaVersion'] === 1 && Array.isArray(memberOf(document, 'fsLayers'))) return DOCKER_SCHEMA1;
  const mediaType = memberOf(document, 'mediaType');
  if (typeof mediaType === 'string' && APPLICATION_TYPE.test(mediaType)) return mediaType;
  return declared === OCI_ARTIFACT && Array.isArray(memberOf(document, 'blobs')) ? declared : undefined;
};
