import { turnToParse } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import type { HttpResponse } from '../http/http-message.ts';
import { mediaTypeOf, OCI_INDEX } from '../media-types.ts';
import type { RegistryRequest, SendToRegistry } from '../registry-request.ts';
import {
  invalidResponse,
  isTimeout,
  type Manifest,
  type Referrer,
  type Referrers,
  type Source,
  SourceFault,
  unlessOversized,
} from '../source.ts';
import { collectReferrers, type IsLikely } from './collect-referrers.ts';
import { findNextLink } from './parse-link.ts';
import { parseReferrers, referrersTag, referrersUnderTag } from './parse-referrers.ts';
import type { ReferrersApi } from './referrers-api.ts';

/** The length of all `Link` headers of a page: each page would otherwise cost the time of the longest header. */
const MAX_LINK_BYTES = 8192;

/**
 * Returns the fault of a later page, without which the pages before count: whoever can push makes a list as long as he likes.
 * Throws what is none, and that time is up.
 */
const faultOfLaterPage = (error: unknown, page: number): SourceFault => {
  const isFault = error instanceof SourceFault && error.code !== 'deadline' && !isTimeout(error);
  if (page === 0 || !isFault) throw error;
  return error;
};

interface ListReferrersOptions {
  /** Host and path in normal form. */
  readonly id: string;
  readonly send: SendToRegistry;
  readonly readTag: (tag: string, signal: AbortSignal, limit: number) => Promise<Manifest | undefined>;
  readonly referrersApi: ReferrersApi;
  readonly limits: {
    readonly manifestBytes: number;
    readonly referrerPages: number;
    readonly signatureBytes: number;
    readonly signatureManifestBytes: number;
  };
}

/** A registry that supports the API responds with an index even if there are no referrers; others return a web page. */
const isList = (response: HttpResponse): boolean =>
  response.status === 200 && mediaTypeOf(response) === OCI_INDEX;

/** The codes for an absent repository or manifest (distribution-spec, "Error Codes"). */
const ABSENT = /"(?:NAME|MANIFEST)_UNKNOWN"/;

/**
 * True if a response that is no list shows that the registry does not support the API. It does not if it names an absent
 * object, which anyone can ask for, or if another host sent it.
 */
const showsNoSupport = (response: HttpResponse | undefined): boolean =>
  response === undefined ||
  (response.by === 'registry' && !ABSENT.test(Buffer.from(response.body).toString('latin1')));

/** Returns the next page's resource (RFC 8288). Only the link's query counts, so it leads to no other host or resource. */
const nextPageOf = (response: HttpResponse, resource: string, id: string): string | undefined => {
  const links = response.headers('link');
  if (Buffer.byteLength(links.join('')) > MAX_LINK_BYTES)
    throw invalidResponse(`${id}: the Link header of the referrers is longer than ${MAX_LINK_BYTES} bytes`);
  const target = findNextLink(links);
  if (target === undefined) return undefined;
  const next = URL.parse(target, 'https://registry.invalid/');
  return `${resource}${next?.search ?? ''}`;
};

const pageRequest = (resource: string, limit: number): RegistryRequest => ({
  method: 'GET',
  resource,
  accept: OCI_INDEX,
  limit,
  mayBeUnsupported: true,
});

/** Reads one page of the API's response. Resolves with undefined if the registry does not support the API. */
type ReadPage = (
  resource: string,
  page: number,
  options: { readonly limit: number; readonly signal: AbortSignal },
) => Promise<HttpResponse | 'oversized' | undefined>;

const createReadPage =
  ({ id, send, referrersApi }: Pick<ListReferrersOptions, 'id' | 'send' | 'referrersApi'>): ReadPage =>
  async (resource, page, { limit, signal }) => {
    const response = await send(pageRequest(resource, limit), signal).catch(unlessOversized);
    if (response === 'oversized') return response;
    if (response !== undefined && isList(response)) {
      referrersApi.markSupported();
      return response;
    }
    if (page > 0) throw invalidResponse(`${id}: page ${page + 1} of the referrers is not an image index`);
    if (showsNoSupport(response)) referrersApi.markMissing();
    return undefined;
  };

const parsePage = async (bytes: Uint8Array, id: string): Promise<readonly Referrer[]> => {
  await turnToParse(bytes);
  const descriptors = parseReferrers(bytes);
  if (descriptors === undefined) throw invalidResponse(`${id}: the list of referrers is not an image index`);
  return descriptors;
};

/**
 * Lists the referrers of a digest: by the referrers API, or by the fallback tag if the registry does not support the API.
 * A registry that supports it lists what is tagged so too (distribution-spec 1.1, "Enabling the Referrers API").
 */
export const createListReferrers = ({
  id,
  send,
  readTag,
  referrersApi,
  limits: { manifestBytes, referrerPages, signatureBytes, signatureManifestBytes },
}: ListReferrersOptions): Source['referrers'] => {
  const readPage = createReadPage({ id, send, referrersApi });
  // A page is parsed at once: a longer one would take the memory and the time of others.
  const pageBytes = Math.min(manifestBytes, signatureManifestBytes);

  /** Returns the pages of the API's response; undefined: the registry does not support the API. */
  const listByApi = async (
    digest: Digest,
    signal: AbortSignal,
    isLikely: IsLikely | undefined,
  ): Promise<Referrers | undefined> => {
    const first = `referrers/${digest}`;
    const collection = collectReferrers(isLikely);
    let next: string | undefined = first;
    let bytesLeft = signatureBytes;
    let page = 0;
    try {
      for (; next !== undefined && page < referrerPages && bytesLeft > 0; page += 1) {
        const limit = Math.min(pageBytes, bytesLeft);
        const response: HttpResponse | 'oversized' | undefined = await readPage(next, page, {
          limit,
          signal,
        });
        if (response === undefined) return undefined;
        if (response === 'oversized') break;
        bytesLeft -= response.body.length;
        collection.add(await parsePage(response.body, id));
        next = nextPageOf(response, first, id);
      }
    } catch (error) {
      return { ...collection.list(true), fault: faultOfLaterPage(error, page) };
    }
    return collection.list(next !== undefined);
  };

  const listByTag = async (
    digest: Digest,
    signal: AbortSignal,
    isLikely: IsLikely | undefined,
  ): Promise<Referrers> => {
    const tag = referrersTag(digest);
    const index = await readTag(tag, signal, pageBytes).catch(unlessOversized);
    const collection = collectReferrers(isLikely);
    if (index === undefined || index === 'oversized') return collection.list(index !== undefined);
    await turnToParse(index.bytes);
    collection.add(referrersUnderTag(index, digest));
    return collection.list(false);
  };

  return async (digest, signal, isLikely) => {
    const listed = referrersApi.isMissing() ? undefined : await listByApi(digest, signal, isLikely);
    return listed ?? listByTag(digest, signal, isLikely);
  };
};
