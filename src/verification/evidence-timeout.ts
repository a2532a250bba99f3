import type { VerificationContext } from './context.ts';

/** The time that each evidence layout may take before the repositories are read: a disk can hang. */
const EVIDENCE_TIMEOUT_MS = 1_000;

/** Limits the time for evidence, unless evidence is the only source. */
export const withEvidenceTimeout = (context: VerificationContext): VerificationContext =>
  context.dependencies.offline === true
    ? context
    : { ...context, signal: AbortSignal.any([context.signal, AbortSignal.timeout(EVIDENCE_TIMEOUT_MS)]) };
