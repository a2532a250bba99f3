import type { Digest, Repository } from '../image/index.ts';

/** A manifest or index as served: its bytes hash to `digest`. */
export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly bytes: Uint8Array;
}

/** The referrers of a digest that a source lists (OCI distribution-spec 1.1, "Listing Referrers"). None is verified. */
export interface Referrers {
  readonly descriptors: readonly Referrer[];
  /** True if the list is longer than the part that was read. */
  readonly more: boolean;
  /** The fault that kept the rest from being read: what is listed counts all the same. */
  readonly fault?: SourceFault;
}

export interface Referrer {
  readonly digest: Digest;
  /** As listed. Registries and tools get it wrong, so it may order the list but must never filter it. */
  readonly artifactType: string | undefined;
}

/**
 * One repository of a registry, or one image layout on disk. Verification reads signatures through this interface only.
 *
 * An absent object (404, `MANIFEST_UNKNOWN`, an unknown tag) is `undefined`; every other failure is a {@link SourceFault}.
 * Every body returned was hashed and matches the requested digest.
 */
export interface Source {
  /** Identifies the source in memory and in shared requests: `docker.io/istio/proxyv2`. */
  readonly id: string;
  /** Resolves a tag: HEAD with `Docker-Content-Digest`, else GET and hash. */
  resolve(tag: string, signal: AbortSignal): Promise<Digest | undefined>;
  /**
   * Reads a manifest by digest, or by tag (its digest is then computed from the bytes). Of one that is longer than `limit`
   * no more is read, and it is an {@link OversizedBody}; without `limit` that is the longest that any manifest may be.
   */
  manifest(
    at: { readonly digest: Digest } | { readonly tag: string },
    signal: AbortSignal,
    limit?: number,
  ): Promise<Manifest | undefined>;
  blob(digest: Digest, signal: AbortSignal, limit?: number): Promise<Uint8Array | undefined>;
  /**
   * Lists the referrers of a manifest, whether or not the manifest exists. Of a list that is too long the rest is `more`, and
   * those that are likely to be wanted, by their listed type, are kept before the others.
   */
  referrers(
    digest: Digest,
    signal: AbortSignal,
    isLikely?: (artifactType: string | undefined) => boolean,
  ): Promise<Referrers>;
}

/** The one that a source's requests are for. */
export interface SourceCaller {
  /** The namespace of the request; empty for the command line and the warm-up. The queue is fair between requesters. */
  readonly requester: string;
  /** True if the digest of the tag is known: its requests go before those for what was never seen. */
  readonly known: boolean;
  /** Called once for each HTTP request sent. */
  readonly onRequest: () => void;
  /**
   * Called when the wait for a response of the registry itself begins, after every queue of ours; not for the target of a
   * redirect to another host, nor for a token service on one. The function that it returns is called when that wait ends.
   */
  readonly onWait: () => () => void;
}

const nothing = (): void => undefined;

/** Creates the caller of requests that are for no namespace. */
export const createSourceCaller = (onRequest: () => void = nothing): SourceCaller => ({
  requester: '',
  known: false,
  onRequest,
  onWait: () => nothing,
});

/** Opens a repository for a caller. */
export type OpenSource = (repository: Repository, caller: SourceCaller) => Source;

export type FaultCode =
  /** of the registry itself: no connection, TLS failure, timeout, 5xx, a pause after 503, circuit breaker open */
  | 'unavailable'
  /** of another host that the registry referred to, by a redirect or as its token service: the same, and 429 */
  | 'backend-unavailable'
  /** 401 or 403 for all credentials, a realm, redirect or address that is not permitted, too many redirects */
  | 'refused'
  /** 429 by the registry itself, or the pause after it */
  | 'rate-limited'
  /** a body that is oversized, truncated, compressed, of the wrong digest or length, or HTML with 200 */
  | 'answer-invalid'
  /** the caller's signal ended, or this process had no slot or socket to send the request with */
  | 'deadline';

/** What helps against a fault, if it is not what its code suggests: nobody should try again, or change credentials, in vain. */
export type FaultRemedy =
  /** a 401 or 403 of the registry or its token service: the repository may not exist, or be another's */
  | 'access'
  /** a host that the registry names, and the configuration does not permit */
  | 'token-realm'
  /** a response of the registry that no client could use, such as a redirect to plain HTTP */
  | 'registry-setup'
  /** a certificate that is untrusted, expired or for another name */
  | 'certificate'
  /** no TLS at all */
  | 'tls'
  /** an address that is never contacted */
  | 'address'
  /** a name that is malformed or has no address */
  | 'host-name'
  /** a proxy that refuses */
  | 'proxy'
  /** a proxy that does not respond, or has no address */
  | 'proxy-unreachable';

/** A source could not be read. `detail` is one line without secrets that names the registry and the remedy. */
export class SourceFault extends Error {
  override readonly name = 'SourceFault';
  readonly code: FaultCode;
  /** False if no request was sent: the deadline had passed, the circuit breaker was open, a rule forbade it. */
  readonly asked: boolean;
  /** True if no connection to the registry's host could be made, or no TLS: it is the same for all its repositories. */
  readonly noConnection: boolean;
  readonly remedy: FaultRemedy | undefined;

  constructor(
    code: FaultCode,
    detail: string,
    options: {
      readonly asked: boolean;
      readonly noConnection?: boolean;
      readonly remedy?: FaultRemedy | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.asked = options.asked;
    this.noConnection = options.noConnection ?? false;
    this.remedy = options.remedy;
  }
}

/** True for the fault of a request to the registry itself that ended at `requestTimeout`. */
export const isTimeout = (error: unknown): error is SourceFault =>
  error instanceof SourceFault &&
  error.code === 'unavailable' &&
  error.cause instanceof DOMException &&
  error.cause.name === 'TimeoutError';

/** A body that is longer than its reader permits. It was not read, or only up to the limit. */
export class OversizedBody extends SourceFault {
  constructor(detail: string) {
    super('answer-invalid', detail, { asked: true });
  }
}

/** For `catch`: a body that is too long is not what was looked for, and no fault: whoever can push makes it so. */
export const unlessOversized = (error: unknown): 'oversized' => {
  if (error instanceof OversizedBody) return 'oversized';
  throw error;
};

/** Creates the fault of a response that is not the requested object. */
export const invalidResponse = (detail: string, cause?: unknown): SourceFault =>
  new SourceFault('answer-invalid', detail, { asked: true, cause });
