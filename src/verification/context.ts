import type { Repository } from '../image/index.ts';
import { createSourceCaller, type Source } from '../registry/index.ts';
import type { VerifierDependencies } from './dependencies.ts';
import type { Memory } from './memory/memory.ts';
import type { RequestCount } from './memory/single-flight.ts';
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
  /** HTTP requests that this verification sent. A shared request counts for the verification that started it. */
  readonly sent: RequestCount;
}

export const createContext = (
  { dependencies, memory }: VerifierState,
  request: VerificationRequest,
  signal: AbortSignal,
): VerificationContext => {
  const evidence = dependencies.openEvidence?.(request.reference.repository.name) ?? [];
  return { dependencies, memory, request, signal, evidence, sent: { requests: 0 } };
};

/** Opens a repository as a source whose requests count for this verification. */
export const openRepository = ({ dependencies, sent }: VerificationContext, repository: Repository): Source =>
  dependencies.open(
    repository,
    createSourceCaller(() => {
      sent.requests += 1;
    }),
  );
