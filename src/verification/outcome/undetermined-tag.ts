import { UNKNOWN_TIME } from '../../registry/index.ts';
import { tagOf, type VerificationContext } from '../context.ts';
import type { Undetermined, UndeterminedReason, Verified } from '../verification.ts';
import { recallVerified, undetermined } from './conclude.ts';

/** True if the registry did not respond, or responded that it is overloaded. The end of a caller's time says neither. */
export const gotNoResponse = ({ code }: UndeterminedReason): boolean =>
  code === 'registry-unavailable' || code === 'registry-rate-limited';

/**
 * The outcome if the tag could not be resolved. If its registry did not respond, it carries the verification of the digest
 * the tag last resolved to, provided that digest is verified for this use: by memory, or by evidence just now.
 */
export const undeterminedTag = (
  context: VerificationContext,
  reason: UndeterminedReason,
  byEvidence: Verified | undefined,
): Undetermined => {
  const { memory, request, sent } = context;
  const verification = undetermined(undefined, reason, sent.requests);
  const last = memory.tags.last(request.reference.repository.name, tagOf(request));
  if (last?.digest === undefined) return verification;
  const { digest: lastDigest, at: resolvedAt } = last;
  const evident = byEvidence?.digest === lastDigest ? byEvidence : undefined;
  const mayStandIn = gotNoResponse(reason) && resolvedAt !== UNKNOWN_TIME;
  const verified = mayStandIn ? (recallVerified(context, request, lastDigest, 0) ?? evident) : undefined;
  return {
    ...verification,
    lastDigest,
    ...(verified === undefined ? {} : { lastVerified: { resolvedAt, verified } }),
  };
};
