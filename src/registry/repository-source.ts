import { type Digest, digestOf, parseDigest } from '../image/index.ts';
import type { HttpResponse } from './http/http-message.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, mediaTypeOf, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';
import { createListReferrers } from './referrers/list-referrers.ts';
import type { ReferrersApi } from './referrers/referrers-api.ts';
import type { SendToRegistry } from './registry-request.ts';
import { invalidResponse, type Manifest, type Source } from './source.ts';

const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
const ACCEPT = MANIFEST_TYPES.join(', ');
/** The types that generic stores serve every file with. */
const GENERIC_TYPES: readonly string[] = ['application/json', 'application/octet-stream'];

/** Parses `Docker-Content-Digest`; undefined if it is absent. Throws a fault if it is not a sha256 digest. */
const declaredDigestOf = (response: HttpResponse, name: string): Digest | undefined => {
  const text = response.header('docker-content-digest');
  if (text === undefined) return undefined;
  const digest = parseDigest(text);
  if (digest === undefined)
    throw invalidResponse(`${name}: the Docker-Content-Digest is not a sha256 digest`);
  return digest;
};

/** Returns a manifest under the digest of its bytes. Throws a fault if that is not the expected one. */
const manifestOf = (response: HttpResponse, name: string, expected: Digest | undefined): Manifest => {
  const mediaType = mediaTypeOf(response);
  const digest = digestOf(response.body);
  const subject = `the response (${mediaType?.slice(0, 40) ?? 'without a content type'})`;
  // Bytes with the expected digest are right, whatever their type; under a tag, a login page must not get a digest.
  if (
    expected === undefined &&
    mediaType !== undefined &&
    ![...MANIFEST_TYPES, ...GENERIC_TYPES].includes(mediaType)
  )
    throw invalidResponse(`${name}: ${subject} is not a manifest`);
  const wanted = expected ?? declaredDigestOf(response, name) ?? digest;
  if (digest !== wanted) throw invalidResponse(`${name}: ${subject} is not the manifest of ${wanted}`);
  return { digest, mediaType, bytes: response.body };
};

interface RepositoryOptions {
  /** Host and path in normal form. */
  readonly id: string;
  readonly send: SendToRegistry;
  readonly referrersApi: ReferrersApi;
  readonly limits: {
    readonly manifestBytes: number;
    readonly blobBytes: number;
    readonly referrerPages: number;
    readonly signatureBytes: number;
    readonly signatureManifestBytes: number;
  };
}

/** Creates the source for one repository of a registry. */
export const createRepositorySource = ({ id, send, referrersApi, limits }: RepositoryOptions): Source => {
  const { manifestBytes, blobBytes } = limits;
  const manifestRequest = (method: 'GET' | 'HEAD', at: string, limit = manifestBytes) => ({
    method,
    resource: `manifests/${at}`,
    accept: ACCEPT,
    limit: Math.min(limit, manifestBytes),
  });

  const readManifest = async (
    at: string,
    expected: Digest | undefined,
    signal: AbortSignal,
    limit?: number,
  ) => {
    const response = await send(manifestRequest('GET', at, limit), signal);
    if (response === undefined) return undefined;
    return manifestOf(response, `${id}, ${at}`, expected);
  };
  const readTag = (tag: string, signal: AbortSignal, limit?: number) =>
    readManifest(tag, undefined, signal, limit);

  return {
    id,
    async resolve(tag, signal) {
      const declared: { digest?: Digest | undefined } = {};
      const response = await send(manifestRequest('HEAD', tag), signal, (head) => {
        declared.digest = head.status === 200 ? declaredDigestOf(head, `${id}:${tag}`) : undefined;
        return declared.digest === undefined ? manifestRequest('GET', tag) : undefined;
      });
      if (response === undefined) return undefined;
      return declared.digest ?? manifestOf(response, `${id}, ${tag}`, undefined).digest;
    },
    manifest: (at, signal, limit) =>
      'digest' in at ? readManifest(at.digest, at.digest, signal, limit) : readTag(at.tag, signal, limit),
    async blob(digest, signal, limit = blobBytes) {
      const request = {
        method: 'GET',
        resource: `blobs/${digest}`,
        limit: Math.min(limit, blobBytes),
      } as const;
      const response = await send(request, signal);
      if (response === undefined) return undefined;
      if (digestOf(response.body) !== digest)
        throw invalidResponse(`${id}: the digest of the blob is not ${digest}`);
      return response.body;
    },
    referrers: createListReferrers({ id, send, readTag, referrersApi, limits }),
  };
};
