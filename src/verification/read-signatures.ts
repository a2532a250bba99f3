import type { Digest } from '../image/index.ts';
import type { Source } from '../registry/index.ts';
import { judgeCandidate, type Outcome, type ReadPayload } from './candidates.ts';
import type { KeyRing } from './key-ring.ts';
import { obstacleOf } from './obstacle.ts';
import { parseSignatureManifest, rebuildPayloads, signatureTag } from './simple-signing.ts';
import type { Obstacle, Rejection, ValidSignature } from './verification.ts';

/** What one source holds for one digest, whatever use it is put to. */
export interface Findings {
  /** Every valid signature by any key of the ring, in the source's order. */
  readonly signatures: readonly ValidSignature[];
  /** The best explanation of what did not count; undefined where everything did. */
  readonly failure: Rejection | Obstacle | undefined;
}

export interface Wanted {
  readonly digest: Digest;
  readonly ring: KeyRing;
  /** Repositories, in normal form, under whose names this digest was likely signed. */
  readonly likelyNames: readonly string[];
  /** How many candidates are tried. */
  readonly signatureCandidates: number;
  /** Bytes a signed payload may have. */
  readonly payloadBytes: number;
}

const nothing = (failure: Rejection): Findings => ({ signatures: [], failure });

/** Reads each payload once, though several layers may share one; what can be rebuilt is not asked for. */
const createPayloadReader = (source: Source, wanted: Wanted, signal: AbortSignal): ReadPayload => {
  const rebuilt = rebuildPayloads(wanted.likelyNames, wanted.digest);
  const reading = new Map<Digest, Promise<Uint8Array | undefined>>();
  return async (digest) => {
    const known = rebuilt.get(digest);
    if (known !== undefined) return known;
    const read = reading.get(digest) ?? source.blob(digest, signal);
    reading.set(digest, read);
    return read;
  };
};

const signerUntrusted = (ring: KeyRing): Rejection => {
  const ids = [...ring.keys.keys()];
  return {
    code: 'signer-untrusted',
    detail: ids.length === 0 ? 'the key ring is empty' : `no key of the ring made it (${ids.join(', ')})`,
  };
};

const findOutcome = <K extends Outcome['kind']>(outcomes: readonly Outcome[], kind: K) =>
  outcomes.find((outcome): outcome is Extract<Outcome, { kind: K }> => outcome.kind === kind);

/** Obstacles first: while one stands, a signature that counts may be behind it. */
const explainOutcomes = (
  outcomes: readonly Outcome[],
  { ring, more }: { readonly ring: KeyRing; readonly more: boolean },
): Rejection | Obstacle | undefined => {
  const couldCount = outcomes.some((outcome) => outcome.kind === 'stranger' && outcome.claims);
  if (couldCount && ring.missing.length > 0)
    return { code: 'key-ring-incomplete', missing: ring.missing.map(({ source }) => source) };
  const unread = findOutcome(outcomes, 'unread');
  if (unread !== undefined) return obstacleOf(unread.fault);
  if (more) return { code: 'too-many-signatures', tried: outcomes.length };
  const otherImage = findOutcome(outcomes, 'other-image');
  if (otherImage !== undefined) return { code: 'signature-for-other-image', signed: otherImage.signed };
  if (findOutcome(outcomes, 'stranger') !== undefined) return signerUntrusted(ring);
  const invalid = findOutcome(outcomes, 'invalid');
  return invalid && { code: 'signature-invalid', detail: invalid.detail };
};

/**
 * Reads the signatures `source` holds for a digest: the manifest under its signature tag, and each candidate in it.
 * Broken and foreign ones never block. Rejects with a `SourceFault` where the manifest itself could not be read.
 */
export const readSignatures = async (
  source: Source,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Findings> => {
  const manifest = await source.manifest({ tag: signatureTag(wanted.digest) }, signal);
  if (manifest === undefined) return nothing({ code: 'signature-missing' });
  const parsed = parseSignatureManifest(manifest);
  if ('problem' in parsed) return nothing({ code: 'signature-invalid', detail: parsed.problem });
  if (parsed.candidates.length === 0) return nothing({ code: 'signature-missing' });
  const readPayload = createPayloadReader(source, wanted, signal);
  const tried = parsed.candidates.slice(0, wanted.signatureCandidates);
  const outcomes = await Promise.all(
    tried.map((candidate) => judgeCandidate(candidate, readPayload, wanted)),
  );
  return {
    signatures: outcomes.flatMap((outcome) => (outcome.kind === 'valid' ? [outcome.signature] : [])),
    failure: explainOutcomes(outcomes, { ring: wanted.ring, more: parsed.candidates.length > tried.length }),
  };
};
