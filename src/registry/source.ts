import type { Digest, Repository } from '../image/index.ts';

/** A manifest or index as served: its bytes hash to `digest`. */
export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly bytes: Uint8Array;
}

/** What a source lists as referring to a digest (OCI distribution-spec 1.1, "Listing Referrers"). Nothing of it is proven. */
export interface Referrers {
  readonly descriptors: readonly Referrer[];
  /** Whether more are listed than were read. */
  readonly more: boolean;
}

export interface Referrer {
  readonly digest: Digest;
  /** As listed; registries and tools get it wrong, so it may sort the list and never shorten it. */
  readonly artifactType: string | undefined;
}

/**
 * The one port verification reads through: one repository of a registry, or one image layout on disk.
 *
 * Absence (404, `MANIFEST_UNKNOWN`, a tag that is not there) is `undefined`; everything else that is not an answer
 * is a {@link SourceFault}. Every body returned was hashed and matches the digest asked for.
 */
export interface Source {
  /** Names the source for memory and flights: `docker.io/istio/proxyv2`. */
  readonly id: string;
  /** What a tag stands for now: HEAD with `Docker-Content-Digest`, else GET and hash. */
  resolve(tag: string, signal: AbortSignal): Promise<Digest | undefined>;
  /** A manifest by digest, or by tag (its own digest is then computed from the bytes). */
  manifest(
    at: { readonly digest: Digest } | { readonly tag: string },
    signal: AbortSignal,
  ): Promise<Manifest | undefined>;
  blob(digest: Digest, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** What refers to a manifest, whether or not that is there; an empty list where nothing does. */
  referrers(digest: Digest, signal: AbortSignal): Promise<Referrers>;
}

/** Opens a repository; `onRequest` is called once for each HTTP request sent for it. */
export type OpenSource = (repository: Repository, onRequest: () => void) => Source;

export type FaultCode =
  /** no connection, TLS failure, no answer in time, 5xx, a pause after 503, breaker open */
  | 'unavailable'
  /** 401 or 403 in the end, a realm, redirect or address that we do not follow, redirects without end */
  | 'refused'
  /** 429, or the pause after it */
  | 'rate-limited'
  /** oversized, wrong digest, wrong length, compressed, HTML with 200, truncated */
  | 'answer-invalid'
  /** the caller's signal ended */
  | 'deadline';

/** Why a source gave no answer. `detail` is one line, free of secrets, naming the registry and what to do. */
export class SourceFault extends Error {
  override readonly name = 'SourceFault';
  readonly code: FaultCode;
  /** False where the question was never sent: the deadline was over before, a breaker was open, a rule forbade it. */
  readonly asked: boolean;

  constructor(
    code: FaultCode,
    detail: string,
    options: { readonly asked: boolean; readonly cause?: unknown },
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.asked = options.asked;
  }
}

/** The fault of bytes that are not what was asked for. */
export const invalidResponse = (detail: string, cause?: unknown): SourceFault =>
  new SourceFault('answer-invalid', detail, { asked: true, cause });
