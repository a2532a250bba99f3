import type { Digest } from '../image/index.ts';
import { createContext, tagOf, type VerificationContext, type VerifierState } from './context.ts';
import type { VerifierDependencies } from './dependencies.ts';
import { createMemory } from './memory/memory.ts';
import { type MemoryState, memoryStateOf } from './memory/memory-state.ts';
import type { SharedResult } from './memory/single-flight.ts';
import { recallVerified, rejected, undetermined } from './outcome/conclude.ts';
import { undeterminedTag } from './outcome/undetermined-tag.ts';
import { refundVerified } from './request-budget.ts';
import { cachedDigest, confirmTag, isKnownAbsent, rememberAbsent, resolveTag } from './resolve-tag.ts';
import { reasonOfThrown } from './undetermined-reason.ts';
import type { Verification, Verified, Verifier } from './verification.ts';
import { mostSeriousFailure, verifyWithEvidence, verifyWithRepositories } from './verify-with-sources.ts';

/** Verifies an image: resolves its tag, then verifies the digest from memory, evidence or repositories. */
const verifyImage = async (unknown: VerificationContext): Promise<Verification> => {
  const { request, sent } = unknown;
  const cached = cachedDigest(unknown, request);
  if (cached === undefined && isKnownAbsent(unknown))
    return rejected(undefined, { code: 'image-not-found' }, 0, true);
  const last = cached === undefined ? await verifyLastDigest(unknown) : undefined;
  const context = { ...unknown, known: last !== undefined };
  const resolved: SharedResult<Digest | undefined> =
    cached === undefined ? await resolveTag(context) : { ok: true, value: cached };
  if (!resolved.ok) return undeterminedTag(context, resolved.reason, last);
  const digest = resolved.value;
  if (digest === undefined) {
    rememberAbsent(context);
    return rejected(undefined, { code: 'image-not-found' }, sent.requests);
  }
  const verification =
    recallVerified(context, request, digest, sent.requests) ?? (await verifyDigest(context, digest));
  confirmTag(context, request, verification);
  refundVerified(context, verification.digest);
  return verification;
};

/**
 * Verifies the last digest of the tag, from memory or with evidence, before its registry can use up the time: after a
 * restart, that is the only verification that can stand in for the tag.
 */
const verifyLastDigest = async (context: VerificationContext): Promise<Verified | undefined> => {
  const { memory, request, evidence } = context;
  const digest = memory.tags.last(request.reference.repository.name, tagOf(request))?.digest;
  if (digest === undefined) return undefined;
  const recalled = recallVerified(context, request, digest, 0);
  if (recalled !== undefined || evidence.length === 0) return recalled;
  const { verified } = await verifyWithEvidence(
    { ...context, evidenceOnly: true, starts: new Map() },
    digest,
  );
  return verified;
};

/** Verifies a digest with evidence, then with repositories. A failure of evidence counts only if there is no other. */
const verifyDigest = async (context: VerificationContext, digest: Digest): Promise<Verification> => {
  const byEvidence = await verifyWithEvidence(context, digest);
  if (byEvidence.verified !== undefined) return byEvidence.verified;
  const byRepositories = await verifyWithRepositories(context, digest);
  if (byRepositories.verified !== undefined) return byRepositories.verified;
  const { requests } = context.sent;
  const failure = mostSeriousFailure(byRepositories.failures) ?? mostSeriousFailure(byEvidence.failures);
  return failure === undefined
    ? rejected(digest, { code: 'signature-missing' }, requests)
    : { ...failure, requests };
};

/** A verifier, and the state of its memory. */
export type ObservedVerifier = Verifier & { readonly memoryState: () => MemoryState };

/** Creates a verifier of images by the signatures in evidence and in repositories. */
export const createVerifier = (dependencies: VerifierDependencies): ObservedVerifier => {
  const state: VerifierState = { dependencies, memory: createMemory(dependencies) };
  return {
    memoryState: () => memoryStateOf(state.memory, dependencies.limits),
    recall: (request) => {
      const digest = cachedDigest(state, request);
      const verified = digest && recallVerified(state, request, digest, 0);
      confirmTag(state, request, verified);
      return verified;
    },
    verify: async (request, signal) => {
      try {
        return await verifyImage(createContext(state, request, signal));
      } catch (error) {
        return undetermined(undefined, reasonOfThrown(error, dependencies.report), 0);
      }
    },
  };
};
