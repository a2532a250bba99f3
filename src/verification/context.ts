import type { Digest, Repository } from '../image/index.ts';
import { createSourceCaller, type Source } from '../registry/index.ts';
import type { VerifierDependencies } from './dependencies.ts';
import type { FoundStart } from './memory/found-start.ts';
import type { Memory } from './memory/memory.ts';
import type { RequestCount, SharedResult } from './memory/single-flight.ts';
import type { VerificationRequest } from './verification.ts';

/** The state of a verifier, shared by all its verifications. */
export interface VerifierState {
  readonly dependencies: VerifierDependencies;
  readonly memory: Memory;
}

/** One verification: the request, and what its steps need. */
export interface VerificationContext extends VerifierState {
  readonly request: VerificationRequest;
  readonly signal: AbortSignal;
  /** Evidence for the image's repository, read before any repository. */
  readonly evidence: readonly Source[];
  /** True: no repository may be read, not even for what an image starts. */
  readonly evidenceOnly: boolean;
  /** What images start, looked for once. */
  readonly starts: Map<Digest, Promise<SharedResult<FoundStart>>>;
  /** HTTP requests that this verification sent. A shared request counts for the verification that started it. */
  readonly sent: RequestCount;
}

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
  };
};

/** Opens a repository as a source whose requests count for this verification. */
export const openRepository = ({ dependencies, sent }: VerificationContext, repository: Repository): Source =>
  dependencies.open(
    repository,
    createSourceCaller(() => {
      sent.requests += 1;
    }),
  );
