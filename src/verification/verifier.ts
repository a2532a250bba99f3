import type { Digest } from '../image/index.ts';
import type { Source } from '../registry/index.ts';
import {
  askSource,
  createContext,
  repositoriesOf,
  resolveTag,
  tagOf,
  type VerificationContext,
} from './context.ts';
import type { VerifierDependencies } from './dependencies.ts';
import { createMemory } from './memory/memory.ts';
import { reasonOfThrown } from './undetermined-reason.ts';
import { conclude, type Known, recallVerified, undetermined } from './verdict/conclude.ts';
import type {
  Rejected,
  Undetermined,
  UndeterminedReason,
  Verification,
  VerificationRequest,
  Verified,
  Verifier,
} from './verification.ts';

const gotNoAnswer = (obstacle: UndeterminedReason): boolean =>
  obstacle.code === 'registry-unavailable' ||
  obstacle.code === 'registry-rate-limited' ||
  (obstacle.code === 'deadline-exceeded' && obstacle.asked);

/** The tag was not resolved. Where that is for want of an answer, its last one may stand in, if verified for this use. */
const withoutTag = (visit: VerificationContext, obstacle: UndeterminedReason): Undetermined => {
  const { memory, question, spent } = visit;
  const verdict = undetermined(undefined, obstacle, spent.requests);
  const last = memory.tags.last(question.reference.repository.name, tagOf(question));
  if (last?.digest === undefined) return verdict;
  const { digest: lastDigest, at: answeredAt } = last;
  const verified = gotNoAnswer(obstacle) ? recallVerified(visit, question, lastDigest, 0) : undefined;
  return {
    ...verdict,
    lastDigest,
    ...(verified === undefined ? {} : { lastVerified: { answeredAt, verified } }),
  };
};

/** Milliseconds that evidence may take before the repositories are asked: it lies on a disk, and disks hang. */
const EVIDENCE_PATIENCE = 1_000;

/** A visit that leaves evidence which does not answer, where there is somebody else to ask. */
const withPatience = (visit: VerificationContext): VerificationContext =>
  visit.options.offline === true
    ? visit
    : { ...visit, signal: AbortSignal.any([visit.signal, AbortSignal.timeout(EVIDENCE_PATIENCE)]) };

/** What one source says of the digest, asked or remembered. */
const verifyAt = async (
  visit: VerificationContext,
  source: Source,
  digest: Digest,
): Promise<Verification> => {
  const { memory, question, spent } = visit;
  const era = memory.generation();
  const failure = era.rejected.find(source.id, digest);
  if (failure !== undefined)
    return conclude(visit, digest, { signatures: memory.verified.find(digest), failure }, true);
  const answer = await askSource(visit, source, digest, era);
  if (answer.ok) return conclude(visit, digest, answer.value, false);
  // One place may have held what suffices while another let the time run out.
  return (
    recallVerified(visit, question, digest, spent.requests) ??
    undetermined(digest, answer.obstacle, spent.requests)
  );
};

/** The verdict of the first of these sources that verifies the digest; the verdicts of all where none does. */
const verifyAtEach = async (
  visit: VerificationContext,
  sources: readonly Source[],
  digest: Digest,
): Promise<Verified | readonly (Rejected | Undetermined)[]> => {
  const failures: (Rejected | Undetermined)[] = [];
  for (const source of sources) {
    const isEvidence = visit.evidence.includes(source);
    const verdict = await verifyAt(isEvidence ? withPatience(visit) : visit, source, digest);
    if (verdict.outcome === 'verified') return verdict;
    failures.push(verdict);
  }
  return failures;
};

/** Where one source could not be asked, a signature that counts may be there; of rejections, the one that tells most. */
const gravest = (failures: readonly (Rejected | Undetermined)[]): Rejected | Undetermined | undefined =>
  failures.find(({ outcome }) => outcome === 'undetermined') ??
  failures.find(({ reason }) => reason.code !== 'signature-missing') ??
  failures[0];

/** Evidence first, then the repositories; evidence that does not verify the digest counts as not holding it. */
const verifyDigest = async (visit: VerificationContext, digest: Digest): Promise<Verification> => {
  const byEvidence = await verifyAtEach(visit, visit.evidence, digest);
  if ('outcome' in byEvidence) return byEvidence;
  const byRepository = await verifyAtEach(visit, repositoriesOf(visit), digest);
  if ('outcome' in byRepository) return byRepository;
  const { requests } = visit.spent;
  const failure = gravest(byRepository) ?? gravest(byEvidence);
  return failure === undefined
    ? { outcome: 'rejected', digest, reason: { code: 'signature-missing' }, requests, fromMemory: false }
    : { ...failure, requests };
};

/**
 * Evidence for what the tag last stood for, before its registry may let the time run out: after a restart that is all
 * there is to stand for it.
 */
const proveLastAnswer = async (visit: VerificationContext): Promise<void> => {
  const { memory, question, evidence } = visit;
  if (evidence.length === 0) return;
  const digest = memory.tags.last(question.reference.repository.name, tagOf(question))?.digest;
  if (digest !== undefined && recallVerified(visit, question, digest, 0) === undefined)
    await verifyAtEach(visit, evidence, digest);
};

/** From the question to the verdict, where memory alone does not suffice. */
const verifyImage = async (visit: VerificationContext, known: Digest | undefined): Promise<Verification> => {
  const { question, spent } = visit;
  if (known === undefined) await proveLastAnswer(visit);
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
  return recallVerified(visit, question, digest, spent.requests) ?? verifyDigest(visit, digest);
};

/** Creates a verifier of images by the signatures in evidence and in repositories. */
export const createVerifier = (options: VerifierDependencies): Verifier => {
  const memory = createMemory(options);
  const known: Known = { memory, options };
  const unexpected = (error: unknown): Undetermined =>
    undetermined(undefined, reasonOfThrown(error, options.report), 0);
  const knownDigest = (request: VerificationRequest): Digest | undefined =>
    request.reference.digest ?? memory.tags.fresh(request.reference.repository.name, tagOf(request));
  return {
    recall: (request) => {
      const digest = knownDigest(request);
      return digest && recallVerified(known, request, digest, 0);
    },
    verify: async (request, signal) => {
      try {
        return await verifyImage(createContext(options, memory, request, signal), knownDigest(request));
      } catch (error) {
        return unexpected(error);
      }
    },
  };
};
