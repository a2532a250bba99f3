import type { HttpResponse } from './http/transport.ts';

/** Manifests and indexes, OCI's and Docker's (image-spec, media-types.md; distribution, manifest-v2-2.md). */
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/** The media type of an answer, without parameters and in small letters. */
export const mediaTypeOf = (answer: HttpResponse): string | undefined =>
  answer.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
