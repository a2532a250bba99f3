import type { Digest } from '../image/index.ts';
import { type Source, SourceFault } from '../registry/index.ts';
import { openRepository, tagOf, type VerificationContext, type VerifierState } from './context.ts';
import type { Flight, SharedResult } from './memory/single-flight.ts';
import { chargeQuestion, refundUnsent, refundVerified } from './request-budget.ts';
import type { UndeterminedReason, Verification, VerificationRequest } from './verification.ts';

/** Returns the digest of the reference, or the one its tag resolved to less than `tagMemory` ago. */
export const cachedDigest = ({ memory }: VerifierState, request: VerificationRequest): Digest | undefined =>
  request.reference.digest ??
  memory.tags.fresh(request.requester, request.reference.repository.name, tagOf(request));

/** Keeps what the tag resolved to if that is verified: it may stand for the tag in an outage. */
export const confirmTag = (
  { memory }: VerifierState,
  request: VerificationRequest,
  verification: Verification | undefined,
): void => {
  if (verification?.outcome !== 'verified' || request.reference.digest !== undefined) return;
  memory.tags.confirm(request.reference.repository.name, tagOf(request), verification.digest);
};

/** True if the tag was not there less than `rejectedMemory` ago, when the same namespace asked for it. */
export const isKnownAbsent = ({ memory, request }: VerificationContext): boolean =>
  memory.absentTags.has(request.requester, request.reference.repository.name, tagOf(request));

export const rememberAbsent = ({ memory, request }: VerificationContext): void =>
  memory.absentTags.add(request.requester, request.reference.repository.name, tagOf(request));

/** Returns the first digest that evidence resolves a tag to. Throws the first fault only if no evidence resolves it. */
const resolveOffline = async (
  evidence: readonly Source[],
  tag: string,
  signal: AbortSignal,
): Promise<Digest | undefined> => {
  let fault: SourceFault | undefined;
  for (const source of evidence) {
    try {
      const digest = await source.resolve(tag, signal);
      if (digest !== undefined) return digest;
    } catch (error) {
      if (!(error instanceof SourceFault)) throw error;
      fault ??= error;
    }
  }
  if (fault !== undefined) throw fault;
  return undefined;
};

/** Resolves the requested tag, once for all concurrent requests for it. Evidence resolves a tag only offline. */
export const resolveTag = (context: VerificationContext): Promise<SharedResult<Digest | undefined>> => {
  const { dependencies, memory, request, evidence, signal: caller } = context;
  const { repository } = request.reference;
  const { requester } = request;
  const isOffline = dependencies.offline === true;
  const tag = tagOf(request);
  const send = async (flight: Flight) => {
    const digest = await (isOffline
      ? resolveOffline(evidence, tag, flight.signal)
      : openRepository(context, repository, flight).resolve(tag, flight.signal));
    memory.tags.add(requester, repository.name, tag, digest);
    refundVerified(context, digest);
    return digest;
  };
  const registry = isOffline ? undefined : repository.registry;
  const refuse = (): UndeterminedReason | undefined => (isOffline ? undefined : chargeQuestion(context));
  const key = `${repository.name}:${tag}`;
  const onUnsent = (): void => refundUnsent(context);
  return memory.tagResolutions.join({ key, registry, requester, send, refuse, onUnsent }, caller);
};
