import type { Source } from '../../registry/index.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { reasonOfFault } from '../undetermined-reason.ts';
import type { RejectionReason, UndeterminedReason } from '../verification.ts';
import type { Format } from './candidate.ts';
import {
  type CandidateResult,
  type CandidateResults,
  type SignatureQuery,
  unreadFor,
} from './candidate-result.ts';
import { FORMATS } from './formats.ts';
import { readCandidates } from './read-candidates.ts';

/** A valid signature and the bytes that prove it. */
export type ProvenSignature = Pick<Extract<CandidateResult, { kind: 'valid' }>, 'signature' | 'proof'>;

/** The signatures of one digest in one source, independent of the image use. */
export interface SourceSignatures {
  /** Every valid signature by any key of the key ring, bundles first. */
  readonly valid: readonly ProvenSignature[];
  /** The most important failure among the candidates; undefined if every one is valid. */
  readonly failure: RejectionReason | UndeterminedReason | undefined;
}

const signerUntrusted = (ring: KeyRing): RejectionReason => {
  const ids = [...ring.keys.keys()];
  return {
    code: 'signer-untrusted',
    detail: ids.length === 0 ? 'the key ring is empty' : `no key of the key ring made it (${ids.join(', ')})`,
  };
};

const findResult = <K extends CandidateResult['kind']>(results: readonly CandidateResult[], kind: K) =>
  results.find((result): result is Extract<CandidateResult, { kind: K }> => result.kind === kind);

/** Undetermined reasons come first: a valid signature may be behind each of them. */
const explainResults = (
  { results, more }: CandidateResults,
  ring: KeyRing,
): RejectionReason | UndeterminedReason | undefined => {
  const couldCount = results.some((result) => result.kind === 'unknown-signer' && result.namesDigest);
  if (couldCount && ring.missing.length > 0)
    return { code: 'key-ring-incomplete', missing: ring.missing.map(({ source }) => source) };
  const unread = findResult(results, 'unread');
  if (unread !== undefined) return reasonOfFault(unread.fault);
  if (more) return { code: 'too-many-signatures', tried: results.length };
  const otherImage = findResult(results, 'other-image');
  if (otherImage !== undefined) return { code: 'signature-for-other-image', signed: otherImage.signed };
  if (findResult(results, 'unknown-signer') !== undefined) return signerUntrusted(ring);
  const invalid = findResult(results, 'invalid');
  if (invalid !== undefined) return { code: 'signature-invalid', detail: invalid.detail };
  return findResult(results, 'valid') === undefined ? signatureMissing(results) : undefined;
};

const signatureMissing = (results: readonly CandidateResult[]): RejectionReason => {
  const unread = results.flatMap((result) => (result.kind === 'foreign' ? (result.unread ?? []) : []))[0];
  return unread === undefined ? { code: 'signature-missing' } : { code: 'signature-missing', unread };
};

/** A list that cannot be read counts as one candidate that cannot: the signatures of the other formats still count. */
const unreadList = (error: unknown): CandidateResults => ({ results: [unreadFor(error)], more: false });

const isValid = (result: CandidateResult): result is Extract<CandidateResult, { kind: 'valid' }> =>
  result.kind === 'valid';

/**
 * Reads the signatures that `source` holds for a digest, in every format at the same time. One valid signature
 * suffices; malformed and foreign ones never block it. `early` receives valid signatures as soon as they are known. Never
 * rejects because of a `SourceFault`.
 */
export const readSignatures = async (
  source: Source,
  query: SignatureQuery,
  signal: AbortSignal,
  early: (valid: readonly ProvenSignature[]) => void,
): Promise<SourceSignatures> => {
  const readFormat = (format: Format): Promise<CandidateResults> =>
    readCandidates(source, { format, query, signal }, (results) => early(results.filter(isValid))).catch(
      unreadList,
    );
  const byFormat = await Promise.all(Object.values(FORMATS).map(readFormat));
  const results = byFormat.flatMap((read) => read.results);
  const more = byFormat.some((read) => read.more);
  return { valid: results.filter(isValid), failure: explainResults({ results, more }, query.ring) };
};
