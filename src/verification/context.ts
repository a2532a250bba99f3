import type { Digest, Repository } from '../image/index.ts';
import { isTimeout, type Source, SourceFault } from '../registry/index.ts';
import type { VerifierDependencies } from './dependencies.ts';
import type { FoundStart } from './memory/found-start.ts';
import type { Memory } from './memory/memory.ts';
import type { Flight, SharedResult } from './memory/single-flight.ts';
import type { VerificationRequest } from './verification.ts';

/** The state of a verifier, shared by all its verifications. */
export interface VerifierState {
  readonly dependencies: VerifierDependencies;
  readonly memory: Memory;
}

/** Counts the HTTP requests of one verification. */
interface RequestCount {
  requests: number;
}

/** One verification: the request, and what its steps need. */
export interface VerificationContext extends VerifierState {
  readonly request: VerificationRequest;
  readonly signal: AbortSignal;
  /** Evidence for the image's repository, read before any repository. */
  readonly evidence: readonly Source[];
  /** True: no repository may be read, not even for what an image starts. */
  readonly evidenceOnly: boolean;
  /** The starts of images, each read once. */
  readonly starts: Map<Digest, Promise<SharedResult<FoundStart>>>;
  /** HTTP requests that this verification sent. A shared request counts for the verification that started it. */
  readonly sent: RequestCount;
  /** Questions that are charged to the namespace of the request. */
  readonly charged: { questions: number };
  /** True if the digest that the tag last resolved to is verified for this use. */
  readonly known: boolean;
}

/** Returns the requested tag; `latest` if the reference has none. */
export const tagOf = ({ reference }: VerificationRequest): string => reference.tag ?? 'latest';

export const createContext = (
  { dependencies, memory }: VerifierState,
  request: VerificationRequest,
  signal: AbortSignal,
): VerificationContext => {
  const evidence = dependencies.openEvidence?.(request.reference.repository.name) ?? [];
  return {
    dependencies,
    memory,
    request,
    signal,
    evidence,
    evidenceOnly: false,
    starts: new Map(),
    sent: { requests: 0 },
    charged: { questions: 0 },
    known: false,
  };
};

/**
 * A request that its own timeout ended is an outage only if the registry was silent for long enough: a shorter timeout may
 * be configured, and a timer may fire late while the response waits unread.
 */
const withFlight = (source: Source, flight: Flight): Source => {
  const judged = async <T>(read: Promise<T>): Promise<T> => {
    try {
      return await read;
    } catch (error) {
      if (!isTimeout(error) || flight.wasSilent()) throw error;
      throw new SourceFault('deadline', error.message, { asked: true, cause: error });
    }
  };
  return {
    ...source,
    resolve: (tag, signal) => judged(source.resolve(tag, signal)),
    manifest: (...args) => judged(source.manifest(...args)),
    blob: (...args) => judged(source.blob(...args)),
    referrers: (...args) => judged(source.referrers(...args)),
  };
};

/** Opens a repository for a flight: its requests count for this verification, its waits for the flight. */
export const openRepository = (
  { dependencies, request, sent, known }: VerificationContext,
  repository: Repository,
  flight: Flight,
): Source => {
  const onRequest = (): void => {
    sent.requests += 1;
    flight.onRequest();
  };
  const caller = { requester: request.requester ?? '', known, onRequest, onWait: flight.onWait };
  return withFlight(dependencies.open(repository, caller), flight);
};
