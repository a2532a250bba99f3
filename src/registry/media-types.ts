import type { HttpResponse } from './http/http-message.ts';

/** Media types of manifests and indexes (OCI image-spec, media-types.md; distribution, manifest-v2-2.md). */
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/** The manifests of older specifications, which hold neither an image's layers nor a list. */
export const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json';
export const DOCKER_SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json';

/** A longer text is no media type (RFC 6838 §4.2: 127 characters for each of type and subtype). */
export const MAX_TYPE_LENGTH = 255;

/** The types of images and indexes, in the order in which they are asked for. */
export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

/** The types of web pages, which are no manifests, whatever their content. */
const PAGE_TYPES: readonly unknown[] = ['text/html', 'application/xhtml+xml'];

/** True if a response is declared to be a web page. */
export const isPage = (response: HttpResponse): boolean => PAGE_TYPES.includes(mediaTypeOf(response));

/** Returns the media type of a response, without parameters and in lower case. */
export const mediaTypeOf = (response: HttpResponse): string | undefined =>
  response.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
