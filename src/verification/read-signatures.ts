import type { Source } from '../registry/index.ts';
import type { KeyRing } from './key-ring.ts';
import { obstacleOf } from './obstacle.ts';
import { type Outcome, type Reading, unreadFor, type Wanted } from './outcome.ts';
import { readBundles } from './read-bundles.ts';
import { readSimpleSignings } from './read-simple-signings.ts';
import type { Obstacle, Rejection } from './verification.ts';

/** A signature that counts, with what proves it. */
export type Valid = Pick<Extract<Outcome, { kind: 'valid' }>, 'signature' | 'proof'>;

/** What one source holds for one digest, whatever use it is put to. */
export interface Found {
  /** Every valid signature by any key of the ring, bundles first. */
  readonly valid: readonly Valid[];
  /** The best explanation of what did not count; undefined where everything did. */
  readonly failure: Rejection | Obstacle | undefined;
}

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
const explainOutcomes = ({ outcomes, more }: Reading, ring: KeyRing): Rejection | Obstacle | undefined => {
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
  if (invalid !== undefined) return { code: 'signature-invalid', detail: invalid.detail };
  return findOutcome(outcomes, 'valid') === undefined ? { code: 'signature-missing' } : undefined;
};

/** A place that cannot be read at all is a candidate that cannot be read: what the other place holds still counts. */
const asReading = (reading: Promise<Reading>): Promise<Reading> =>
  reading.catch((error: unknown) => ({ outcomes: [unreadFor(error)], more: false }));

const isValid = (outcome: Outcome): outcome is Extract<Outcome, { kind: 'valid' }> =>
  outcome.kind === 'valid';

/**
 * Reads the signatures that `source` holds for a digest, in every format and place side by side. Any one that is valid
 * suffices; broken and foreign ones never block. `early` takes what one place holds while another is still asked.
 * Rejects for nothing that a source does.
 */
export const readSignatures = async (
  source: Source,
  wanted: Wanted,
  signal: AbortSignal,
  early: (valid: readonly Valid[]) => void,
): Promise<Found> => {
  const read = async (place: typeof readBundles): Promise<Reading> => {
    const reading = await asReading(place(source, wanted, signal));
    early(reading.outcomes.filter(isValid));
    return reading;
  };
  const readings = await Promise.all([read(readBundles), read(readSimpleSignings)]);
  const outcomes = readings.flatMap((reading) => reading.outcomes);
  return {
    valid: outcomes.filter(isValid),
    failure: explainOutcomes({ outcomes, more: readings.some(({ more }) => more) }, wanted.ring),
  };
};
