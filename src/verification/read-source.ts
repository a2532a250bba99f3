import type { Digest } from '../image/index.ts';
import type { VerificationContext } from './context.ts';
import { findStart } from './find-start.ts';
import { type ProvenSignature, readSignatures } from './formats/read-signatures.ts';
import type { RingGeneration, SourceResult } from './memory/memory.ts';
import type { Flight, SharedResult } from './memory/single-flight.ts';
import { readEarly } from './read-early.ts';
import { chargeQuestion, refundUnsent, refundVerified } from './request-budget.ts';
import type { SignatureSource } from './signature-source.ts';
import { isUndeterminedReason } from './undetermined-reason.ts';
import type { UndeterminedReason, ValidSignature } from './verification.ts';

/** Returns the names this digest was likely signed under: a payload that names one need not be fetched. */
const likelyNamesOf = ({ dependencies, request }: VerificationContext): readonly string[] => {
  const { reference, component, signaturesAt } = request;
  const segments = [
    reference.repository.path.split('/').at(-1) ?? '',
    ...(component === undefined ? [] : [component]),
  ];
  const atHubs = (dependencies.hubs ?? []).flatMap((hub) => segments.map((segment) => `${hub}/${segment}`));
  const repositories = [...signaturesAt, reference.repository].map(({ name }) => name);
  return [...new Set([...repositories, ...atHubs])];
};

/**
 * True if what the image starts belongs to its evidence: no signature names a component. It does under a name that is of
 * no component too, or whoever can push that name could make evidence that proves none for the same digest elsewhere.
 */
const lacksComponent = (
  { dependencies, request }: VerificationContext,
  valid: readonly ProvenSignature[],
): boolean => {
  const { places, component, componentOf } = request;
  if (dependencies.componentProof !== 'configuration' || places.length === 0) return false;
  return valid.every(
    ({ signature: { signedReference } }) =>
      signedReference === undefined ||
      (component !== undefined && componentOf(signedReference) === undefined),
  );
};

/**
 * Stores the bytes that prove an image, with what it starts if that belongs to them. If that cannot be read, none is
 * stored: the evidence would prove less than the repository did.
 */
const storeEvidence = async (
  context: VerificationContext,
  digest: Digest,
  { valid, known }: { readonly valid: readonly ProvenSignature[]; readonly known: readonly ValidSignature[] },
  signal: AbortSignal,
): Promise<void> => {
  const { dependencies, memory, request } = context;
  const { storeProofs } = dependencies;
  const left = memory.storedProofs.select(valid, known);
  if (storeProofs === undefined || left.length === 0) return;
  const found = lacksComponent(context, valid) ? await findStart(context, digest, signal) : undefined;
  if (found?.ok === false) return;
  storeProofs(
    left.map(({ proof }) => proof),
    request.reference.repository.name,
    found?.value.proof,
  );
  memory.storedProofs.add(left);
};

const signaturesOf = (valid: readonly ProvenSignature[]): readonly ValidSignature[] =>
  valid.map(({ signature }) => signature);

/**
 * Reads the signatures of a digest from a source, once for all concurrent requests for it, and stores the result in
 * memory, even if every caller has left by then.
 */
export const readSource = (
  context: VerificationContext,
  { id, registry, open }: SignatureSource,
  digest: Digest,
  generation: RingGeneration,
): Promise<SharedResult<SourceResult>> => {
  const { dependencies, memory } = context;
  const { limits, proveLogged } = dependencies;
  const { requester } = context.request;
  const send = async (flight: Flight): Promise<SourceResult> => {
    const { ring } = generation;
    const { signal } = flight;
    const query = { ...limits, digest, ring, proveLogged, likelyNames: likelyNamesOf(context) };
    const isEvidence = registry === undefined;
    const source = open(flight);
    const reading = isEvidence
      ? { source, early: () => undefined }
      : readEarly(context, source, digest, signal);
    const known = memory.verified.find(digest);
    const { valid, failure } = await readSignatures(reading.source, query, signal, (early) =>
      memory.verified.add(digest, signaturesOf(early)),
    );
    const { signatures, areCached } = memory.verified.add(digest, signaturesOf(valid));
    if (areCached && (failure === undefined || !isUndeterminedReason(failure)))
      generation.rejected.add(requester, id, digest, { failure, valid: signatures.length });
    if (!isEvidence) await storeEvidence(context, digest, { valid, known }, signal);
    refundVerified(context, digest);
    return { signatures, failure, early: reading.early() };
  };
  const refuse = (): UndeterminedReason | undefined =>
    registry === undefined ? undefined : chargeQuestion(context);
  // Not shared between namespaces: its later requests would wait in the line of the one that started it.
  const key = `${requester ?? ''} ${id}@${digest}`;
  const onUnsent = (): void => (registry === undefined ? undefined : refundUnsent(context));
  const plan = { key, registry, requester, send, refuse, onUnsent };
  return generation.sourceReads.join(plan, context.signal);
};
