import type { Source } from '../../registry/index.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { reasonOfFault } from '../undetermined-reason.ts';
import type { RejectionReason, UndeterminedReason } from '../verification.ts';
import {
  type CandidateResult,
  type CandidateResults,
  type SignatureQuery,
  unreadFor,
} from './candidate-result.ts';
import { readBundles } from './read-bundles.ts';
import { readSimpleSignings } from './read-simple-signings.ts';

/** A signature that counts, with what proves it. */
export type Valid = Pick<Extract<CandidateResult, { kind: 'valid' }>, 'signature' | 'proof'>;

/** What one source holds for one digest, whatever use it is put to. */
export interface SourceSignatures {
  /** Every valid signature by any key of the ring, bundles first. */
  readonly valid: readonly Valid[];
  /** The best explanation of what did not count; undefined where everything did. */
  readonly failure: RejectionReason | UndeterminedReason | undefined;
}

const signerUntrusted = (ring: KeyRing): RejectionReason => {
  const ids = [...ring.keys.keys()];
  return {
    code: 'signer-untrusted',
    detail: ids.length === 0 ? 'the key ring is empty' : `no key of the ring made it (${ids.join(', ')})`,
  };
};

const findOutcome = <K extends CandidateResult['kind']>(outcomes: readonly CandidateResult[], kind: K) =>
  outcomes.find((outcome): outcome is Extract<CandidateResult, { kind: K }> => outcome.kind === kind);

/** Obstacles first: while one stands, a signature that counts may be behind it. */
const explainOutcomes = (
  { results: outcomes, more }: CandidateResults,
  ring: KeyRing,
): RejectionReason | UndeterminedReason | undefined => {
  const couldCount = outcomes.some((outcome) => outcome.kind === 'stranger' && outcome.claims);
  if (couldCount && ring.missing.length > 0)
    return { code: 'key-ring-incomplete', missing: ring.missing.map(({ source }) => source) };
  const unread = findOutcome(outcomes, 'unread');
  if (unread !== undefined) return reasonOfFault(unread.fault);
  if (more) return { code: 'too-many-signatures', tried: outcomes.length };
  const otherImage = findOutcome(outcomes, 'other-image');
  if (otherImage !== undefined) return { code: 'signature-for-other-image', signed: otherImage.signed };
  if (findOutcome(outcomes, 'stranger') !== undefined) return signerUntrusted(ring);
  const invalid = findOutcome(outcomes, 'invalid');
  if (invalid !== undefined) return { code: 'signature-invalid', detail: invalid.detail };
  return findOutcome(outcomes, 'valid') === undefined ? { code: 'signature-missing' } : undefined;
};

/** A place that cannot be read at all is a candidate that cannot be read: what the other place holds still counts. */
const asReading = (reading: Promise<CandidateResults>): Promise<CandidateResults> =>
  reading.catch((error: unknown) => ({ results: [unreadFor(error)], more: false }));

const isValid = (outcome: CandidateResult): outcome is Extract<CandidateResult, { kind: 'valid' }> =>
  outcome.kind === 'valid';

/**
 * Reads the signatures that `source` holds for a digest, in every format and place side by side. Any one that is valid
 * suffices; broken and foreign ones never block. `early` takes what one place holds while another is still asked.
 * Rejects for nothing that a source does.
 */
export const readSignatures = async (
  source: Source,
  wanted: SignatureQuery,
  signal: AbortSignal,
  early: (valid: readonly Valid[]) => void,
): Promise<SourceSignatures> => {
  const read = async (place: typeof readBundles): Promise<CandidateResults> => {
    const reading = await asReading(place(source, wanted, signal));
    early(reading.results.filter(isValid));
    return reading;
  };
  const readings = await Promise.all([read(readBundles), read(readSimpleSignings)]);
  const outcomes = readings.flatMap((reading) => reading.results);
  return {
    valid: outcomes.filter(isValid),
    failure: explainOutcomes({ results: outcomes, more: readings.some(({ more }) => more) }, wanted.ring),
  };
};
