import type { Digest } from '../image/index.ts';
import { createMemory, type Memory } from './era.ts';
import { isObstacle, obstacleOfThrown } from './obstacle.ts';
import type { Findings } from './read-signatures.ts';
import { selectSignatures } from './select.ts';
import type {
  Obstacle,
  Question,
  Rejection,
  Undetermined,
  Verification,
  Verified,
  VerifyImage,
} from './verification.ts';
import type { VerifierOptions } from './verifier-options.ts';
import { askSource, createVisit, resolveTag, tagOf, type Visit } from './visit.ts';

const undetermined = (digest: Digest | undefined, reason: Obstacle, requests: number): Undetermined => ({
  outcome: 'undetermined',
  digest,
  reason,
  requests,
  fromMemory: false,
});

/** *Verified* from memory, for this use; the way most questions go. */
const recallVerified = (
  memory: Memory,
  question: Question,
  digest: Digest,
  requests: number,
): Verified | undefined => {
  const selection = selectSignatures(memory.verified.find(digest), question, memory.era().ring);
  if (!selection.satisfied) return undefined;
  const { signatures, componentProven } = selection;
  return { outcome: 'verified', digest, signatures, componentProven, requests, fromMemory: true };
};

const gotNoAnswer = (obstacle: Obstacle): boolean =>
  obstacle.code === 'registry-unavailable' ||
  obstacle.code === 'registry-rate-limited' ||
  (obstacle.code === 'deadline-exceeded' && obstacle.asked);

/** The tag was not resolved. Where that is for want of an answer, its last one may stand in, if verified for this use. */
const withoutTag = ({ memory, question, spent }: Visit, obstacle: Obstacle): Undetermined => {
  const verdict = undetermined(undefined, obstacle, spent.requests);
  const last = memory.tags.last(question.reference.repository, tagOf(question));
  if (last?.digest === undefined) return verdict;
  const { digest: lastDigest, at: answeredAt } = last;
  const verified = gotNoAnswer(obstacle) ? recallVerified(memory, question, lastDigest, 0) : undefined;
  return {
    ...verdict,
    lastDigest,
    ...(verified === undefined ? {} : { standsFor: { answeredAt, verified } }),
  };
};

/** The verdict on valid signatures and on the failure of the others, for this use. */
const conclude = (visit: Visit, digest: Digest, findings: Findings, fromMemory: boolean): Verification => {
  const { memory, question } = visit;
  const { requests } = visit.spent;
  const selection = selectSignatures(findings.signatures, question, memory.era().ring);
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

/** From the question to the verdict, where memory alone does not suffice. */
const verifyImage = async (visit: Visit, known: Digest | undefined): Promise<Verification> => {
  const { memory, question, source, spent } = visit;
  const resolved = known === undefined ? await resolveTag(visit) : ({ ok: true, value: known } as const);
  if (!resolved.ok) return withoutTag(visit, resolved.obstacle);
  const digest = resolved.value;
  if (digest === undefined)
    return {
      outcome: 'rejected',
      digest,
      reason: { code: 'image-not-found' },
      requests: spent.requests,
      fromMemory: false,
    };

  const verified = recallVerified(memory, question, digest, spent.requests);
  if (verified !== undefined) return verified;

  const era = memory.era();
  const failure = era.rejected.find(source.id, digest);
  if (failure !== undefined)
    return conclude(visit, digest, { signatures: memory.verified.find(digest), failure }, true);

  const answer = await askSource(visit, digest, era);
  if (!answer.ok) return undetermined(digest, answer.obstacle, spent.requests);
  return conclude(visit, digest, answer.value, false);
};

/**
 * Verifies images by the signatures of their repositories (design.md, "Memory"). A digest that is remembered is
 * answered without a source and without waiting. The function returned never rejects.
 */
export const createVerifier = (options: VerifierOptions): VerifyImage => {
  const memory = createMemory(options);
  const unexpected = (error: unknown): Undetermined =>
    undetermined(undefined, obstacleOfThrown(error, options.report), 0);
  const knownDigest = (question: Question): Digest | undefined =>
    question.reference.digest ?? memory.tags.fresh(question.reference.repository, tagOf(question));
  const recall = (question: Question): Verified | undefined => {
    const digest = knownDigest(question);
    return digest && recallVerified(memory, question, digest, 0);
  };
  const verify: VerifyImage = (question, signal) => {
    try {
      const remembered = recall(question);
      if (remembered !== undefined) return Promise.resolve(remembered);
      return verifyImage(createVisit(options, memory, question, signal), knownDigest(question)).catch(
        unexpected,
      );
    } catch (error) {
      return Promise.resolve(unexpected(error));
    }
  };
  return Object.assign(verify, { recall });
};
