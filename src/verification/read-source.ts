import type { Digest } from '../image/index.ts';
import type { Source } from '../registry/index.ts';
import type { VerificationContext } from './context.ts';
import { type ProvenSignature, readSignatures } from './formats/read-signatures.ts';
import type { RingGeneration, SourceResult } from './memory/memory.ts';
import type { SharedResult } from './memory/single-flight.ts';
import { isUndeterminedReason } from './undetermined-reason.ts';
import type { ValidSignature } from './verification.ts';

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

const signaturesOf = (valid: readonly ProvenSignature[]): readonly ValidSignature[] =>
  valid.map(({ signature }) => signature);

/**
 * Reads the signatures of a digest from a source, once for all concurrent requests for it, and stores the result in
 * memory, even if every caller has left by then.
 */
export const readSource = (
  context: VerificationContext,
  source: Source,
  digest: Digest,
  generation: RingGeneration,
): Promise<SharedResult<SourceResult>> => {
  const { dependencies, memory, evidence, sent } = context;
  const { limits, proveLogged, storeProofs } = dependencies;
  const read = async (signal: AbortSignal): Promise<SourceResult> => {
    const { ring } = generation;
    const query = { ...limits, digest, ring, proveLogged, likelyNames: likelyNamesOf(context) };
    const { valid, failure } = await readSignatures(source, query, signal, (early) =>
      memory.verified.add(digest, signaturesOf(early)),
    );
    if (valid.length === 0 && failure !== undefined && !isUndeterminedReason(failure))
      generation.rejected.add(source.id, digest, failure);
    if (valid.length > 0 && !evidence.includes(source))
      storeProofs?.(
        valid.map(({ proof }) => proof),
        context.request.reference.repository.name,
      );
    return { signatures: memory.verified.add(digest, signaturesOf(valid)), failure };
  };
  return generation.sourceReads.join(`${source.id}@${digest}`, sent, read, context.signal);
};
