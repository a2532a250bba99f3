import { type Digest, digestOf, parseDigest } from '../image/index.ts';
import type { HttpResponse } from './http/transport.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, mediaTypeOf, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';
import { createListReferrers } from './referrers/list-referrers.ts';
import type { ReferrersApi } from './referrers/referrers-api.ts';
import type { SendToRegistry } from './registry-request.ts';
import { invalidResponse, type Manifest, type Source } from './source.ts';

const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
const ACCEPT = MANIFEST_TYPES.join(', ');
/** What stores that do not know what they hold call it. */
const VAGUE_TYPES: readonly string[] = ['application/json', 'application/octet-stream'];

/** `Docker-Content-Digest`: undefined where it is absent; a fault where it is no sha256 digest. */
const declaredDigest = (answer: HttpResponse, name: string): Digest | undefined => {
  const text = answer.header('docker-content-digest');
  if (text === undefined) return undefined;
  const digest = parseDigest(text);
  if (digest === undefined) throw invalidResponse(`${name}: its Docker-Content-Digest is no sha256 digest`);
  return digest;
};

/** A manifest of bytes that were hashed, under the digest they hash to; a fault where that is not what was asked for. */
const manifestOf = (answer: HttpResponse, name: string, asked: Digest | undefined): Manifest => {
  const mediaType = mediaTypeOf(answer);
  const digest = digestOf(answer.body);
  const what = `the answer (${mediaType?.slice(0, 40) ?? 'of no type'})`;
  // Bytes of the digest asked for are right, whatever they are called; under a tag, a login page must not get a digest.
  if (
    asked === undefined &&
    mediaType !== undefined &&
    ![...MANIFEST_TYPES, ...VAGUE_TYPES].includes(mediaType)
  )
    throw invalidResponse(`${name}: ${what} is no manifest`);
  const wanted = asked ?? declaredDigest(answer, name) ?? digest;
  if (digest !== wanted) throw invalidResponse(`${name}: ${what} is not the manifest of ${wanted}`);
  return { digest, mediaType, bytes: answer.body };
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
  };
}

/** One repository of a registry, as a source. */
export const createRepositorySource = ({
  id,
  send: ask,
  referrersApi,
  limits,
}: RepositoryOptions): Source => {
  const { manifestBytes, blobBytes } = limits;
  const questionFor = <Method extends 'GET' | 'HEAD'>(method: Method, at: string) =>
    ({ method, resource: `manifests/${at}`, accept: ACCEPT, limit: manifestBytes }) as const;

  const readManifest = async (at: string, asked: Digest | undefined, signal: AbortSignal) => {
    const answer = await ask(questionFor('GET', at), signal);
    if (answer === undefined) return undefined;
    const manifest = manifestOf(answer, `${id}, ${at}`, asked);
    referrersApi.markRepositoryFound();
    return manifest;
  };
  const readTag = (tag: string, signal: AbortSignal) => readManifest(tag, undefined, signal);

  return {
    id,
    async resolve(tag, signal) {
      const answer = await ask(questionFor('HEAD', tag), signal);
      if (answer === undefined) return undefined;
      const declared = answer.status === 200 ? declaredDigest(answer, `${id}:${tag}`) : undefined;
      if (declared !== undefined) referrersApi.markRepositoryFound();
      return declared ?? (await readTag(tag, signal))?.digest;
    },
    manifest: (at, signal) =>
      'digest' in at ? readManifest(at.digest, at.digest, signal) : readTag(at.tag, signal),
    async blob(digest, signal) {
      const answer = await ask({ method: 'GET', resource: `blobs/${digest}`, limit: blobBytes }, signal);
      if (answer === undefined) return undefined;
      if (digestOf(answer.body) !== digest)
        throw invalidResponse(`${id}: the blob is not the one of ${digest}`);
      return answer.body;
    },
    referrers: createListReferrers({ id, send: ask, readTag, referrersApi, limits }),
  };
};
