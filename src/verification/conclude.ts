import type { Digest } from '../image/index.ts';
import type { Findings, Memory } from './era.ts';
import { isObstacle } from './obstacle.ts';
import { type Selection, selectSignatures } from './select.ts';
import type {
  Obstacle,
  Question,
  Rejection,
  Undetermined,
  ValidSignature,
  Verification,
  Verified,
} from './verification.ts';
import type { VerifierOptions } from './verifier-options.ts';
import type { Visit } from './visit.ts';

/** *Undetermined*, and nothing remembered. */
export const undetermined = (
  digest: Digest | undefined,
  reason: Obstacle,
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
  readonly options: VerifierOptions;
}

const select = ({ memory, options }: Known, held: readonly ValidSignature[], question: Question): Selection =>
  selectSignatures(held, question, {
    ring: memory.era().ring,
    requireLog: options.proveLogged !== undefined,
  });

/** *Verified* from memory, for this use; the way most questions go. */
export const recallVerified = (
  known: Known,
  question: Question,
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
  visit: Visit,
  digest: Digest,
  findings: Findings,
  fromMemory: boolean,
): Verification => {
  const { requests } = visit.spent;
  const selection = select(visit, findings.signatures, visit.question);
  if (selection.satisfied) {
    const { signatures, componentProven } = selection;
    return { outcome: 'verified', digest, signatures, componentProven, requests, fromMemory };
  }
  if (findings.failure !== undefined && isObstacle(findings.failure))
    return undetermined(digest, findings.failure, requests);
  const reason: Rejection = selection.reason ??
    findings.failure ?? { code: 'signer-untrusted', detail: 'the key that made it has left the ring' };
  return { outcome: 'rejected', digest, reason, requests, fromMemory };
};
