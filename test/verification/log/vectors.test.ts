import { describe, expect, it } from 'vitest';
import { createProveLogged } from '../../../src/verification/log/prove-logged.ts';
import { readFixture } from '../../support/fixtures.ts';
import { readVector, vectorLogs } from './vectors.ts';

type Verdict = 'accept' | 'reject' | 'either';

const expected =
  readFixture<Readonly<Record<string, { readonly ignore: Verdict; readonly require: Verdict }>>>(
    'cosign/expected.json',
  );
const proveLogged = createProveLogged(vectorLogs);

const verdictOf = (vector: string): Verdict =>
  readVector(vector).some((logged) => 'proof' in proveLogged(logged)) ? 'accept' : 'reject';

/** Vectors whose signature is valid without the log: only the log decides. */
const decided = Object.entries(expected)
  .filter(([, verdict]) => verdict.ignore !== 'reject' && verdict.require !== 'either')
  .map(([vector, verdict]) => [vector, verdict.require] as const);

describe('vectors of real cosign, transparency log required', () => {
  it.each(decided)('%s: %s', (vector, verdict) => {
    expect(verdictOf(vector)).toBe(verdict);
  });

  it('has vectors of every kind to decide on', () => {
    expect(decided).toHaveLength(47);
  });

  it.each([
    ['b21-no-inclusion-promise', { proof: { logIndex: '0', integratedTime: undefined } }],
    ['r01-rekor2-good', { proof: { logIndex: '0', integratedTime: undefined } }],
    ['r09-rekor2-forged-integrated-time', { proof: { logIndex: '0', integratedTime: undefined } }],
    ['s02-legacy-tlog', { proof: { logIndex: '1005', integratedTime: 1795338006 } }],
    ['s07-bundle-tlog', { proof: { logIndex: '1012', integratedTime: 1795338007 } }],
    ['b22-set-by-evil-key', { problem: 'the inclusion promise is not signed by the log' }],
    [
      'b23-checkpoint-by-evil-key',
      { problem: 'the inclusion proof is invalid: invalid checkpoint signature' },
    ],
    ['b25-tlog-payloadhash-mismatch', { problem: 'the log entry is for other signed bytes' }],
    ['b26-tlog-sig-mismatch', { problem: 'the log entry is for another signature' }],
    ['b28-duplicate-tlog-entries', { problem: 'the same log entry occurs twice' }],
    ['b29-33-tlog-entries', { problem: 'it has 33 log entries; at most 32 are read' }],
    ['n09-set-tampered-integratedtime', { problem: 'the inclusion promise is not signed by the log' }],
    ['n11-bundle-body-not-string', { problem: 'the log annotation has no valid "body"' }],
    ['n12-bundle-malformed-json', { problem: 'the log annotation cannot be read: it is not JSON in UTF-8' }],
    ['r02-rekor2-no-proof', { problem: 'a log entry has no inclusion proof' }],
    ['r07-rekor2-wrong-origin', { problem: 'the checkpoint is from another log' }],
    ['s08-bundle-notlog', { problem: 'it has no transparency log entry' }],
  ])('%s comes out for its own reason', (vector, answer) => {
    expect(readVector(`referrers/${vector}`).map(proveLogged)).toEqual([answer]);
  });
});
