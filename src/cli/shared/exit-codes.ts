import { groupOf, type ReasonCode } from '../../policy/index.ts';

/** cosign's codes where the case is the same (cosign, cmd/cosign/errors/exit_codes.go). */
export const exitCodes = [
  [10, 'no signature'],
  [11, 'image not found'],
  [12, 'signatures, but none that verifies'],
  [20, 'could not find out: registry, deadline, keys, an error of ours'],
  [30, 'refused whatever its signatures'],
] as const;

const PARTICULAR: Partial<Record<ReasonCode, number>> = {
  'signature-missing': 10,
  'image-never-signed': 10,
  'image-not-found': 11,
};
const OF_GROUP = { rejected: 12, undetermined: 20, refused: 30 } as const;

/** Of several, the first of these that is there. */
const ORDER: readonly number[] = [1, 12, 10, 30, 11, 20];

/** The exit code of one reason. */
export const exitCodeOf = (code: ReasonCode): number => PARTICULAR[code] ?? OF_GROUP[groupOf(code)];

/** The exit code of several images or objects; 0 where each is. */
export const worstExitCode = (codes: readonly number[]): number =>
  ORDER.find((code) => codes.includes(code)) ?? 0;
