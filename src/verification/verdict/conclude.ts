import type { Digest } from '../../image/index.ts';
import type { VerificationContext } from '../context.ts';
import type { VerifierDependencies } from '../dependencies.ts';
import type { Memory, SourceResult } from '../memory/memory.ts';
import { isUndeterminedReason } from '../undetermined-reason.ts';
import type {
  RejectionReason,
  Undetermined,
  UndeterminedReason,
  ValidSignature,
  Verification,
  VerificationRequest,
  Verified,
} from '../verification.ts';
import { type Selection, selectSignatures } from './select-signatures.ts';

/** *Undetermined*, and nothing remembered. */
export const undetermined = (
  digest: Digest | undefined,
  reason: UndeterminedReason,
  requests: number,
): Undetermined => ({
  outcome: 'undetermined',
  digest,
  reason,
  requests,
  fromMemory: false,
});

/** What is known, and what decides whether it counts for a use. */
export interface Known {
  readonly memory: Memory;
  readonly options: VerifierDependencies;
}

const select = (
  { memory, options }: Known,
  held: readonly ValidSignature[],
  question: VerificationRequest,
): Selection =>
  selectSignatures(held, question, {
    ring: memory.generation().ring,
    requireLog: options.proveLogged !== undefined,
  });

/** *Verified* from memory, for this use; the way most questions go. */
export const recallVerified = (
  known: Known,
  question: VerificationRequest,
  digest: Digest,
  requests: number,
): Verified | undefined => {
  const selection = select(known, known.memory.verified.find(digest), question);
  if (!selection.satisfied) return undefined;
  const { signatures, componentProven } = selection;
  return { outcome: 'verified', digest, signatures, componentProven, requests, fromMemory: true };
};

/** The verdict on valid signatures and on the failure of the others, for this use. */
export const conclude = (
  visit: VerificationContext,
  digest: Digest,
  findings: SourceResult,
  fromMemory: boolean,
): Verification => {
  const { requests } = visit.spent;
  const selection = select(visit, findings.signatures, visit.question);
  if (selection.satisfied) {
    const { signatures, componentProven } = selection;
    return { outcome: 'verified', digest, signatures, componentProven, requests, fromMemory };
  }
  if (findings.failure !== undefined && isUndeterminedReason(findings.failure))
    return undetermined(digest, findings.failure, requests);
  const reason: RejectionReason = selection.reason ??
    findings.failure ?? { code: 'signer-untrusted', detail: 'the key that made it has left the ring' };
  return { outcome: 'rejected', digest, reason, requests, fromMemory };
};
