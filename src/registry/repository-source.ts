import { turnToParse } from '../base/index.ts';
import { type Digest, digestOf, parseDigest } from '../image/index.ts';
import type { HttpResponse } from './http/http-message.ts';
import { foreignTypeOf, manifestTypeOf } from './manifest-type.ts';
import { isPage, MANIFEST_TYPES, MAX_TYPE_LENGTH, mediaTypeOf, OCI_ARTIFACT } from './media-types.ts';
import { createListReferrers } from './referrers/list-referrers.ts';
import type { ReferrersApi } from './referrers/referrers-api.ts';
import type { SendToRegistry } from './registry-request.ts';
import { invalidResponse, type Manifest, type Source } from './source.ts';

const ACCEPT = MANIFEST_TYPES.join(', ');

/** Parses `Docker-Content-Digest`; undefined if it is absent, or not a sha256 digest: the bytes then have one of their own. */
const declaredDigestOf = (response: HttpResponse): Digest | undefined =>
  parseDigest(response.header('docker-content-digest') ?? '');

const subjectOf = (response: HttpResponse): string =>
  `the response (${mediaTypeOf(response)?.slice(0, MAX_TYPE_LENGTH) ?? 'without a content type'})`;

/** Returns a document under the digest of its bytes, with its type if it is an image manifest or an index. */
const readDocument = async (response: HttpResponse): Promise<Manifest> => {
  const { body: bytes } = response;
  await turnToParse(bytes);
  return { digest: digestOf(bytes), mediaType: manifestTypeOf(mediaTypeOf(response), bytes), bytes };
};

/** Throws a fault if a document does not have this digest; if it has, it is the right one, whatever its type. */
const withDigest = async (response: HttpResponse, name: string, digest: Digest): Promise<Manifest> => {
  const document = await readDocument(response);
  if (document.digest === digest) return document;
  throw invalidResponse(`${name}: ${subjectOf(response)} is not the manifest of ${digest}`);
};

/**
 * Returns the manifest under a tag. Throws a fault if it is none, because a login page must not get a digest; `isForeign` tells
 * which types of other manifests may stand there too.
 */
const underTag = async (
  response: HttpResponse,
  name: string,
  isForeign: (mediaType: string) => boolean = () => false,
): Promise<Manifest> => {
  const document = await readDocument(response);
  const foreign = document.mediaType ?? foreignTypeOf(mediaTypeOf(response), document.bytes);
  const isKnown = document.mediaType !== undefined || (foreign !== undefined && isForeign(foreign));
  if (isKnown && !isPage(response)) return { ...document, mediaType: foreign };
  throw invalidResponse(`${name}: ${subjectOf(response)} is not a manifest`);
};

/** Returns the digest of the image under a tag. Throws a fault if the registry declares another. */
const imageDigestOf = async (response: HttpResponse, name: string): Promise<Digest> => {
  const { digest } = await underTag(response, name);
  const declared = declaredDigestOf(response) ?? digest;
  if (digest === declared) return digest;
  throw invalidResponse(`${name}: ${subjectOf(response)} is not the manifest of ${declared}`);
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

  const readDigest = async (digest: Digest, signal: AbortSignal, limit?: number) => {
    const response = await send(manifestRequest('GET', digest, limit), signal);
    return response && withDigest(response, `${id}, ${digest}`, digest);
  };
  // A signature or a list of referrers proves itself: no header must hide it.
  const readTag = async (
    tag: string,
    signal: AbortSignal,
    limit: number | undefined,
    isForeign: (mediaType: string) => boolean,
  ) => {
    const response = await send(manifestRequest('GET', tag, limit), signal);
    return response && underTag(response, `${id}, ${tag}`, isForeign);
  };
  const readFallbackTag = (tag: string, signal: AbortSignal, limit: number) =>
    readTag(tag, signal, limit, () => true);
  const isArtifact = (mediaType: string) => mediaType === OCI_ARTIFACT;

  return {
    id,
    async resolve(tag, signal) {
      const declared: { digest?: Digest | undefined } = {};
      const response = await send(manifestRequest('HEAD', tag), signal, (head) => {
        declared.digest = head.status === 200 && !isPage(head) ? declaredDigestOf(head) : undefined;
        // A mirror may respond 404 to HEAD until it has fetched the tag, so only a GET proves an absence.
        return declared.digest === undefined ? manifestRequest('GET', tag) : undefined;
      });
      if (response === undefined) return undefined;
      return declared.digest ?? imageDigestOf(response, `${id}, ${tag}`);
    },
    manifest: (at, signal, limit) =>
      'digest' in at ? readDigest(at.digest, signal, limit) : readTag(at.tag, signal, limit, isArtifact),
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
    referrers: createListReferrers({ id, send, readTag: readFallbackTag, referrersApi, limits }),
  };
};
