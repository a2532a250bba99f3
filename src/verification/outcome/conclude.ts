import type { Digest } from '../../image/index.ts';
import type { VerificationContext, VerifierState } from '../context.ts';
import type { SourceResult } from '../memory/memory.ts';
import { isUndeterminedReason } from '../undetermined-reason.ts';
import type {
  Rejected,
  RejectionReason,
  Undetermined,
  UndeterminedReason,
  ValidSignature,
  Verification,
  VerificationRequest,
  Verified,
} from '../verification.ts';
import { type Evaluation, evaluateSignatures } from './evaluate-signatures.ts';

export const undetermined = (
  digest: Digest | undefined,
  reason: UndeterminedReason,
  requests: number,
): Undetermined => ({ outcome: 'undetermined', digest, reason, requests, fromMemory: false });

export const rejected = (
  digest: Digest | undefined,
  reason: RejectionReason,
  requests: number,
  fromMemory = false,
): Rejected => ({ outcome: 'rejected', digest, reason, requests, fromMemory });

const select = (
  { memory, dependencies }: VerifierState,
  signatures: readonly ValidSignature[],
  request: VerificationRequest,
): Evaluation =>
  evaluateSignatures(signatures, request, {
    ring: memory.generation().ring,
    requireLog: dependencies.proveLogged !== undefined,
  });

/** Returns *verified* if signatures in memory satisfy the request. Most verifications end here. */
export const recallVerified = (
  state: VerifierState,
  request: VerificationRequest,
  digest: Digest,
  requests: number,
): Verified | undefined => {
  const selection = select(state, state.memory.verified.find(digest), request);
  if (!selection.satisfied) return undefined;
  const { signatures, componentProven } = selection;
  return { outcome: 'verified', digest, signatures, componentProven, requests, fromMemory: true };
};

/** Returns the outcome for this use: of the valid signatures of a digest, and of the failure of its other candidates. */
export const concludeVerification = (
  context: VerificationContext,
  digest: Digest,
  { signatures: known, failure }: SourceResult,
  fromMemory: boolean,
): Verification => {
  const { requests } = context.sent;
  const selection = select(context, known, context.request);
  if (selection.satisfied) {
    const { signatures, componentProven } = selection;
    return { outcome: 'verified', digest, signatures, componentProven, requests, fromMemory };
  }
  if (failure !== undefined && isUndeterminedReason(failure)) return undetermined(digest, failure, requests);
  const reason = selection.reason ??
    failure ?? { code: 'signer-untrusted', detail: 'the key that made it is no longer in the key ring' };
  return rejected(digest, reason, requests, fromMemory);
};
