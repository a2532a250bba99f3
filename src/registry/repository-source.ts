import { turnToParse } from '../base/index.ts';
import { type Digest, digestOf, parseDigest } from '../image/index.ts';
import type { HeadSupport } from './head-support.ts';
import type { HttpResponse } from './http/http-message.ts';
import { manifestTypeOf } from './manifest-type.ts';
import { isPage, MANIFEST_TYPES, mediaTypeOf } from './media-types.ts';
import { createListReferrers } from './referrers/list-referrers.ts';
import type { ReferrersApi } from './referrers/referrers-api.ts';
import type { SendToRegistry } from './registry-request.ts';
import { invalidResponse, type Manifest, type Source } from './source.ts';

const ACCEPT = MANIFEST_TYPES.join(', ');

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
const manifestOf = async (
  response: HttpResponse,
  name: string,
  expected: Digest | undefined,
): Promise<Manifest> => {
  const { body: bytes } = response;
  await turnToParse(bytes);
  const declared = mediaTypeOf(response);
  const mediaType = manifestTypeOf(declared, bytes);
  const digest = digestOf(bytes);
  const subject = `the response (${declared?.slice(0, 40) ?? 'without a content type'})`;
  // Bytes with the expected digest are right, whatever their type; under a tag, a login page must not get a digest.
  if (expected === undefined && (mediaType === undefined || isPage(response)))
    throw invalidResponse(`${name}: ${subject} is not a manifest`);
  const wanted = expected ?? declaredDigestOf(response, name) ?? digest;
  if (digest !== wanted) throw invalidResponse(`${name}: ${subject} is not the manifest of ${wanted}`);
  return { digest, mediaType, bytes };
};

interface RepositoryOptions {
  /** Host and path in normal form. */
  readonly id: string;
  readonly send: SendToRegistry;
  readonly referrersApi: ReferrersApi;
  readonly headSupport: HeadSupport;
  readonly limits: {
    readonly manifestBytes: number;
    readonly blobBytes: number;
    readonly referrerPages: number;
    readonly signatureBytes: number;
    readonly signatureManifestBytes: number;
  };
}

/** Creates the source for one repository of a registry. */
export const createRepositorySource = ({
  id,
  send,
  referrersApi,
  headSupport,
  limits,
}: RepositoryOptions): Source => {
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
      const name = `${id}, ${tag}`;
      const declared: { digest?: Digest | undefined } = {};
      const response = await send(manifestRequest('HEAD', tag), signal, (head) => {
        if (head.status === 404 && head.by === 'registry' && headSupport.isProven()) return undefined;
        declared.digest = head.status === 200 && !isPage(head) ? declaredDigestOf(head, name) : undefined;
        if (declared.digest !== undefined) headSupport.markProven();
        return declared.digest === undefined ? manifestRequest('GET', tag) : undefined;
      });
      if (response === undefined || response.status === 404) return undefined;
      return declared.digest ?? (await manifestOf(response, name, undefined)).digest;
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
      await turnToParse(response.body);
      if (digestOf(response.body) !== digest)
        throw invalidResponse(`${id}: the digest of the blob is not ${digest}`);
      return response.body;
    },
    referrers: createListReferrers({ id, send, readTag, referrersApi, limits }),
  };
};
