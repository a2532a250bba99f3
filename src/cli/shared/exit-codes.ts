import { groupOf, type ReasonCode } from '../../policy/index.ts';

/** The exit codes of a verdict; 10, 11 and 12 are cosign's (cosign, cmd/cosign/errors/exit_codes.go). */
export const exitCodes = [
  [10, 'no signature'],
  [11, 'image not found'],
  [12, 'signatures found, but none verifies'],
  [20, 'undetermined: a registry, deadline, key ring or internal error'],
  [30, 'refused regardless of signatures'],
] as const;

const CODE_OF_REASON: Partial<Record<ReasonCode, number>> = {
  'signature-missing': 10,
  'image-never-signed': 10,
  'image-not-found': 11,
};
const CODE_OF_GROUP = { rejected: 12, undetermined: 20, refused: 30 } as const;

/** The exit codes, the most serious first. */
const BY_SEVERITY: readonly number[] = [1, 12, 10, 30, 11, 20];

/** Returns the exit code of one reason. */
export const exitCodeOf = (code: ReasonCode): number => CODE_OF_REASON[code] ?? CODE_OF_GROUP[groupOf(code)];

/** Returns the most serious of several exit codes; 0 if all are 0, or there is none. */
export const worstExitCode = (codes: readonly number[]): number =>
  BY_SEVERITY.find((code) => codes.includes(code)) ?? 0;
