import { orAborted } from '../base/index.ts';
import type { Digest } from '../image/index.ts';
import { type ImageStart, UNKNOWN_START } from './configuration/image-start.ts';
import type { VerificationContext } from './context.ts';
import { findStart } from './find-start.ts';
import type { EarlyStart, FoundStart } from './memory/found-start.ts';
import type { SharedResult } from './memory/single-flight.ts';
import { gotNoResponse } from './outcome/undetermined-tag.ts';
import type { SignatureSource } from './signature-source.ts';
import type { UndeterminedReason } from './verification.ts';

/**
 * True if the registry did not serve this process at all. A configuration that is absent or damaged is another matter:
 * whoever can push to the repository can cause that.
 */
const couldNotAsk = (reason: UndeterminedReason): boolean =>
  gotNoResponse(reason) ||
  reason.code === 'registry-backend-unavailable' ||
  reason.code === 'registry-refused';

/** Waits for the start that was read beside the signatures, or else looks for it now. */
const waitForStart = async (
  context: VerificationContext,
  digest: Digest,
  early: EarlyStart | undefined,
): Promise<SharedResult<FoundStart>> => {
  const { request, signal } = context;
  if (early?.repository !== request.reference.repository.name) return findStart(context, digest, signal);
  // A caller whose time is up learns from the flight whether it is the registry that is silent.
  return orAborted(early.found, signal, () => findStart({ ...context, starts: new Map() }, digest, signal));
};

/**
 * Returns what an image starts, whose signatures from this source satisfy the use but for its component, and remembers
 * it. Evidence without it counts as it is where the registry cannot be asked: an outage must not refuse what evidence
 * proved before there were configurations in it.
 */
export const startForUse = async (
  context: VerificationContext,
  { registry }: SignatureSource,
  digest: Digest,
  early: EarlyStart | undefined,
): Promise<SharedResult<ImageStart>> => {
  const { memory, dependencies, request } = context;
  const isEvidence = registry === undefined;
  const found = await waitForStart(context, digest, early);
  if (!found.ok) return isEvidence && couldNotAsk(found.reason) ? { ok: true, value: UNKNOWN_START } : found;
  const { start, isKnown, proof } = found.value;
  if (isKnown) memory.starts.add(digest, start);
  if (isEvidence && proof !== undefined)
    dependencies.storeProofs?.([], request.reference.repository.name, proof);
  return { ok: true, value: start };
};
