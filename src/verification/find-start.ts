import type { Digest } from '../image/index.ts';
import { SourceFault } from '../registry/index.ts';
import { UNKNOWN_START } from './configuration/image-start.ts';
import { type ReadStart, readStart } from './configuration/read-start.ts';
import type { VerificationContext } from './context.ts';
import { withEvidenceTimeout } from './evidence-timeout.ts';
import type { FoundStart } from './memory/found-start.ts';
import type { Flight, SharedResult } from './memory/single-flight.ts';
import { chargeQuestion, refundUnsent } from './request-budget.ts';
import { evidenceSource, repositorySource, type SignatureSource } from './signature-source.ts';
import { reasonOfFault } from './undetermined-reason.ts';
import type { UndeterminedReason } from './verification.ts';

const joinRead = (
  context: VerificationContext,
  { id, registry, open }: SignatureSource,
  digest: Digest,
  signal: AbortSignal,
): Promise<SharedResult<ReadStart | undefined>> => {
  const send = (flight: Flight): Promise<ReadStart | undefined> =>
    readStart(open(flight), digest, flight.signal);
  // Beside a question about signatures it belongs to that question, which was charged.
  const isCharged = registry === undefined || context.charged.questions > 0;
  const refuse = (): UndeterminedReason | undefined => (isCharged ? undefined : chargeQuestion(context));
  const { requester } = context.request;
  // Not shared between namespaces: its later requests would wait in the line of the one that started it.
  const key = `${requester ?? ''} ${id}@${digest}`;
  const onUnsent = (): void => (isCharged ? undefined : refundUnsent(context));
  return context.memory.startReads.join({ key, registry, requester, send, refuse, onUnsent }, signal);
};

/** An absent configuration must not pass for one that says nothing: whoever can push to a repository can delete from it. */
const absenceOf = ({ id }: SignatureSource, digest: Digest): SharedResult<never> => {
  const detail = `${id} lacks the manifest or the configuration of ${digest}, which proves its component`;
  return { ok: false, reason: reasonOfFault(new SourceFault('answer-invalid', detail, { asked: true })) };
};

/** Finds the start in evidence; undefined if none holds it. A failure counts only if no evidence holds it. */
const findInEvidence = async (
  context: VerificationContext,
  digest: Digest,
): Promise<SharedResult<FoundStart | undefined>> => {
  let failure: SharedResult<never> | undefined;
  for (const source of context.evidence.map(evidenceSource)) {
    const read = await joinRead(context, source, digest, withEvidenceTimeout(context).signal);
    if (!read.ok) failure ??= read;
    else if (read.value !== undefined) return { ok: true, value: { start: read.value.start, isKnown: true } };
  }
  return failure ?? { ok: true, value: undefined };
};

/**
 * Finds the start in the repository of the image, or else in those of its signatures: its digest binds it, so it is the same
 * wherever it is read. The failure of the first counts.
 */
const findInRepositories = async (
  context: VerificationContext,
  digest: Digest,
  signal: AbortSignal,
): Promise<SharedResult<FoundStart>> => {
  const { reference, signaturesAt } = context.request;
  const repositories = [reference.repository, ...signaturesAt];
  const distinct = new Map(repositories.map((repository) => [repository.name, repository]));
  let failure: SharedResult<never> | undefined;
  for (const repository of distinct.values()) {
    const source = repositorySource(context, repository);
    const read = await joinRead(context, source, digest, signal);
    if (read.ok && read.value !== undefined) return { ok: true, value: { ...read.value, isKnown: true } };
    failure ??= read.ok ? absenceOf(source, digest) : read;
  }
  return failure ?? absenceOf(repositorySource(context, reference.repository), digest);
};

const search = async (
  context: VerificationContext,
  digest: Digest,
  signal: AbortSignal,
): Promise<SharedResult<FoundStart>> => {
  const { dependencies } = context;
  const inEvidence = await findInEvidence(context, digest);
  if (inEvidence.ok && inEvidence.value !== undefined) return { ok: true, value: inEvidence.value };
  if (dependencies.offline === true || context.evidenceOnly)
    return inEvidence.ok ? { ok: true, value: { start: UNKNOWN_START, isKnown: false } } : inEvidence;
  return findInRepositories(context, digest, signal);
};

/**
 * Finds what an image starts: in evidence, or else in repositories, first that of the image, where the node pulls it. Each
 * verification looks once. Never rejects.
 */
export const findStart = (
  context: VerificationContext,
  digest: Digest,
  signal: AbortSignal,
): Promise<SharedResult<FoundStart>> => {
  const found = context.starts.get(digest) ?? search(context, digest, signal);
  context.starts.set(digest, found);
  return found;
};
