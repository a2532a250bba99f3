import type { Digest } from '../../image/index.ts';
import type { ImageStart } from '../configuration/image-start.ts';
import type { VerificationContext, VerifierState } from '../context.ts';
import type { SourceResult } from '../memory/memory.ts';
import type { SharedResult } from '../memory/single-flight.ts';
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
import { evaluateStart, type Satisfied } from './evaluate-start.ts';

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

const evaluateFor = (
  { memory, dependencies }: VerifierState,
  request: VerificationRequest,
  signatures: readonly ValidSignature[],
): Evaluation =>
  evaluateSignatures(signatures, request, {
    ring: memory.generation().ring,
    requireLog: dependencies.proveLogged !== undefined,
  });

/** True if this use depends on what the image starts: no signature that satisfies it names the requested component. */
const dependsOnStart = (
  { dependencies }: VerifierState,
  { component }: VerificationRequest,
  evaluation: Evaluation,
): evaluation is Satisfied =>
  evaluation.satisfied &&
  !evaluation.componentProven &&
  component !== undefined &&
  dependencies.componentProof === 'configuration';

/** Evaluates this use from memory; undefined if it depends on what the image starts, and memory does not hold that. */
const evaluateFromMemory = (
  state: VerifierState,
  request: VerificationRequest,
  digest: Digest,
  signatures: readonly ValidSignature[],
): Evaluation | undefined => {
  const evaluation = evaluateFor(state, request, signatures);
  if (!dependsOnStart(state, request, evaluation)) return evaluation;
  const start = state.memory.starts.find(digest);
  return start && evaluateStart(evaluation, start, request);
};

const verified = (
  digest: Digest,
  { signatures, componentProven, componentProvenBy }: Satisfied,
  requests: number,
  fromMemory: boolean,
): Verified => {
  const outcome = 'verified';
  return componentProvenBy === undefined
    ? { outcome, digest, signatures, componentProven, requests, fromMemory }
    : { outcome, digest, signatures, componentProven, componentProvenBy, requests, fromMemory };
};

/** Returns *verified* if what memory holds satisfies the request. Most verifications end here. */
export const recallVerified = (
  state: VerifierState,
  request: VerificationRequest,
  digest: Digest,
  requests: number,
): Verified | undefined => {
  const evaluation = evaluateFromMemory(state, request, digest, state.memory.verified.find(digest));
  return evaluation?.satisfied === true ? verified(digest, evaluation, requests, true) : undefined;
};

type Conclusion = Pick<SourceResult, 'signatures' | 'failure'> & {
  readonly fromMemory: boolean;
  /** Called if this use depends on what the image starts, and memory does not hold that. */
  readonly findStart: () => Promise<SharedResult<ImageStart>>;
};

/**
 * Returns the outcome for this use: of the valid signatures of a digest, of the failure of its other candidates, and of
 * what the image starts.
 */
export const concludeVerification = async (
  context: VerificationContext,
  digest: Digest,
  { signatures, failure, fromMemory, findStart }: Conclusion,
): Promise<Verification> => {
  const { request, sent } = context;
  let evaluation = evaluateFromMemory(context, request, digest, signatures);
  if (evaluation === undefined) {
    const start = await findStart();
    if (!start.ok) return undetermined(digest, start.reason, sent.requests);
    // Evaluated anew: the key ring may have changed.
    const now = evaluateFor(context, request, signatures);
    evaluation = dependsOnStart(context, request, now) ? evaluateStart(now, start.value, request) : now;
  }
  const { requests } = sent;
  if (evaluation.satisfied) return verified(digest, evaluation, requests, fromMemory);
  if (failure !== undefined && isUndeterminedReason(failure)) return undetermined(digest, failure, requests);
  const reason = evaluation.reason ??
    failure ?? { code: 'signer-untrusted', detail: 'the key that made it is no longer in the key ring' };
  return rejected(digest, reason, requests, fromMemory);
};
