import { describe, expect, it } from 'vitest';
import { exitCodeOf, exitCodes, worstExitCode } from '../../src/cli/shared/exit-codes.ts';
import { reasonCodes } from '../../src/policy/index.ts';

describe('exit codes', () => {
  it('of every reason, as the interface has them', () => {
    expect(Object.fromEntries(reasonCodes.map((code) => [code, exitCodeOf(code)]))).toEqual({
      'image-revoked': 30,
      'image-reference-invalid': 30,
      'too-many-images': 30,
      'image-look-alike': 30,
      'image-unrecognised': 30,
      'image-not-pinned': 30,
      'component-mismatch': 12,
      'signature-for-other-image': 12,
      'signature-invalid': 12,
      'signer-untrusted': 12,
      'transparency-log-unproven': 12,
      'too-many-signatures': 12,
      'signature-missing': 10,
      'image-never-signed': 10,
      'image-not-found': 11,
      'internal-error': 20,
      'registry-answer-invalid': 20,
      'registry-refused': 20,
      'key-ring-incomplete': 20,
      'deadline-exceeded': 20,
      'registry-backend-unavailable': 20,
      'registry-rate-limited': 20,
      'registry-unavailable': 20,
      'request-budget-exceeded': 20,
    });
  });

  it('of several are the first of 1, 12, 10, 30, 11, 20', () => {
    const order = [1, 12, 10, 30, 11, 20, 0];
    for (let first = 0; first < order.length; first += 1)
      expect(worstExitCode(order.slice(first).toReversed())).toBe(order[first]);
    expect(worstExitCode([])).toBe(0);
  });

  it('are all explained in the help', () => {
    const used = new Set(reasonCodes.map(exitCodeOf));
    expect(exitCodes.map(([code]) => code)).toEqual([...used].toSorted((one, other) => one - other));
  });
});
