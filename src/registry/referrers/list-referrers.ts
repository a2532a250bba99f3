import type { Digest } from '../../image/index.ts';
import type { HttpResponse } from '../http/transport.ts';
import { mediaTypeOf, OCI_INDEX } from '../media-types.ts';
import type { SendToRegistry } from '../registry-request.ts';
import { invalidResponse, type Manifest, type Referrer, type Referrers, type Source } from '../source.ts';
import { parseReferrers, referrersTag } from './parse-referrers.ts';
import type { ReferrersApi } from './referrers-api.ts';

const NOTHING: Referrers = { descriptors: [], more: false };

interface ListReferrersOptions {
  /** Host and path in normal form. */
  readonly id: string;
  readonly send: SendToRegistry;
  readonly readTag: (tag: string, signal: AbortSignal) => Promise<Manifest | undefined>;
  readonly referrersApi: ReferrersApi;
  readonly limits: { readonly manifestBytes: number; readonly referrerPages: number };
}

/** A registry that knows the API answers with an index, also where nothing refers; others show a page of theirs. */
const isList = (answer: HttpResponse): boolean => answer.status === 200 && mediaTypeOf(answer) === OCI_INDEX;

/** Whether it is the repository that is not there (distribution-spec, "Error Codes"): that tells nothing of the API. */
const isUnknownName = ({ body }: HttpResponse): boolean => Buffer.from(body).includes('"NAME_UNKNOWN"');

/** The page after this one (RFC 8288): only its query counts, so no answer leads to another host or resource. */
const nextPage = (answer: HttpResponse, resource: string): string | undefined => {
  const links = answer.headers('link').join(', ');
  const [, target] = /<([^>]*)>\s*;[^<]*\brel="?next"?/i.exec(links) ?? [];
  if (target === undefined) return undefined;
  const next = URL.parse(target, 'https://registry.invalid/');
  return `${resource}${next?.search ?? ''}`;
};

/**
 * Lists what refers to a digest: by the referrers API, and where the registry does not know it by the fallback tag. A
 * registry that knows the API lists what stands under the tag too (distribution-spec 1.1, "Enabling the Referrers API").
 */
export const createListReferrers = ({
  id,
  send: ask,
  readTag,
  referrersApi,
  limits,
}: ListReferrersOptions): Source['referrers'] => {
  const read = (bytes: Uint8Array, what: string): readonly Referrer[] => {
    const descriptors = parseReferrers(bytes);
    if (descriptors === undefined) throw invalidResponse(`${id}: ${what} is no image index`);
    return descriptors;
  };

  /** The pages of the API's answer; undefined: the registry does not know the question. */
  const listByApi = async (digest: Digest, signal: AbortSignal): Promise<Referrers | undefined> => {
    const first = `referrers/${digest}`;
    const descriptors: Referrer[] = [];
    let next: string | undefined = first;
    for (let page = 0; next !== undefined && page < limits.referrerPages; page += 1) {
      const answer: HttpResponse | undefined = await ask(
        {
          method: 'GET',
          resource: next,
          accept: OCI_INDEX,
          limit: limits.manifestBytes,
          mayBeUnsupported: true,
        },
        signal,
      );
      if (answer === undefined || !isList(answer)) {
        if (page > 0) throw invalidResponse(`${id}: page ${page + 1} of the referrers is no image index`);
        if (answer === undefined || !isUnknownName(answer)) referrersApi.markMissing();
        return undefined;
      }
      referrersApi.markSupported();
      descriptors.push(...read(answer.body, 'the list of referrers'));
      next = nextPage(answer, first);
    }
    return { descriptors, more: next !== undefined };
  };

  const listByTag = async (digest: Digest, signal: AbortSignal): Promise<Referrers> => {
    const tag = referrersTag(digest);
    const index = await readTag(tag, signal);
    return index === undefined ? NOTHING : { descriptors: read(index.bytes, tag), more: false };
  };

  return async (digest, signal) => {
    const listed = referrersApi.isMissing() ? undefined : await listByApi(digest, signal);
    return listed ?? listByTag(digest, signal);
  };
};
