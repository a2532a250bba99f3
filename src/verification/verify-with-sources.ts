import type { Digest } from '../image/index.ts';
import type { VerificationContext } from './context.ts';
import { withEvidenceTimeout } from './evidence-timeout.ts';
import type { SourceResult } from './memory/memory.ts';
import { concludeVerification, recallVerified, undetermined } from './outcome/conclude.ts';
import { readSource } from './read-source.ts';
import { evidenceSource, repositorySource, type SignatureSource } from './signature-source.ts';
import { startForUse } from './start-for-use.ts';
import type { Rejected, Undetermined, Verification, Verified } from './verification.ts';

type Failure = Rejected | Undetermined;

/** The verification by the first source that verifies the digest, or the failure of every source. */
type SourcesVerdict =
  | { readonly verified: Verified }
  | { readonly verified: undefined; readonly failures: readonly Failure[] };

/** `ofRead`: the context for reading the signatures, whose time may be shorter. */
const verifyWithSource = async (
  context: VerificationContext,
  source: SignatureSource,
  digest: Digest,
  ofRead = context,
): Promise<Verification> => {
  const { memory, request, sent } = context;
  const generation = memory.generation();
  const conclude = ({ early, ...result }: SourceResult, fromMemory: boolean): Promise<Verification> =>
    concludeVerification(context, digest, {
      ...result,
      fromMemory,
      findStart: () => startForUse(context, source, digest, early),
    });
  const record = generation.rejected.find(request.requester, source.id, digest);
  const signatures = memory.verified.find(digest);
  // Fewer than there were: they were evicted.
  if (record !== undefined && signatures.length >= record.valid)
    return conclude({ signatures, failure: record.failure }, true);
  const read = await readSource(ofRead, source, digest, generation);
  if (read.ok) return conclude(read.value, false);
  // The read may have added valid signatures of one format to memory before the time for another ran out.
  return (
    recallVerified(context, request, digest, sent.requests) ??
    undetermined(digest, read.reason, sent.requests)
  );
};

const firstVerified = async (
  sources: readonly SignatureSource[],
  verify: (source: SignatureSource) => Promise<Verification>,
): Promise<SourcesVerdict> => {
  const failures: Failure[] = [];
  for (const source of sources) {
    const verification = await verify(source);
    if (verification.outcome === 'verified') return { verified: verification };
    failures.push(verification);
  }
  return { verified: undefined, failures };
};

/** Verifies a digest with evidence, one layout after the other. */
export const verifyWithEvidence = (context: VerificationContext, digest: Digest): Promise<SourcesVerdict> =>
  firstVerified(context.evidence.map(evidenceSource), (source) =>
    verifyWithSource(context, source, digest, withEvidenceTimeout(context)),
  );

/** Verifies a digest with the repositories that may hold its signatures, in order; with none offline. */
export const verifyWithRepositories = (
  context: VerificationContext,
  digest: Digest,
): Promise<SourcesVerdict> => {
  const { dependencies, request } = context;
  const repositories = dependencies.offline === true ? [] : request.signaturesAt;
  const sources = repositories.map((repository) => repositorySource(context, repository));
  return firstVerified(sources, (source) => verifyWithSource(context, source, digest));
};

/**
 * Returns the failure that explains most. Undetermined comes first: a source that could not be read may hold a valid
 * signature.
 */
export const mostSeriousFailure = (failures: readonly Failure[]): Failure | undefined =>
  failures.find(({ outcome }) => outcome === 'undetermined') ??
  failures.find(({ reason }) => reason.code !== 'signature-missing') ??
  failures.find(({ reason }) => reason.code === 'signature-missing' && reason.unread !== undefined) ??
  failures[0];
