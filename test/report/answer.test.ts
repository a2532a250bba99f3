import { expect, it } from 'vitest';
import { answerOf } from '../../src/report/index.ts';
import type { ScanResult } from '../../src/scan/index.ts';
import { exampleScan } from '../support/example-scan.ts';

const { summary, policy, coverage } = exampleScan();

const answer = (
  pods: Partial<ScanResult['summary']['pods']>,
  more: Partial<ScanResult> = {},
  ownersRefused = 0,
): string =>
  answerOf(
    exampleScan({
      summary: {
        ...summary,
        ownersRefused,
        pods: { ...summary.pods, refused: 0, unknown: 0, reported: 0, ...pods },
      },
      ...more,
    }),
  );

it('speaks of the pods that were seen, if others may not have been', () => {
  const start = 'Of the 60 pods seen, 9 would be refused if you enforced now.';
  expect(answer({ refused: 9 }, { complete: false })).toBe(`The scan was interrupted. ${start}`);
  expect(answer({ refused: 9 }, { coverage: { ...coverage, cut: ['past 100,000 pods'] } })).toBe(start);
  const notSeen = [{ resource: 'pods', why: 'forbidden', remedy: 'grant list on pods' }];
  expect(answer({ refused: 9 }, { coverage: { ...coverage, notSeen } })).toBe(start);
  expect(answer({ all: 0 }, { complete: false })).toBe('The scan was interrupted. No pod was seen.');
});

it('never leaves out what is unknown', () => {
  expect(answer({ unknown: 3 })).toBe(
    'If you enforced now, none of 60 pods would be refused, but for 3 it is unknown.',
  );
  expect(answer({ refused: 1, unknown: 3, reported: 2 })).toBe(
    'If you enforced now, 1 of 60 pods would be refused, 2 would be reported, and for 3 it is unknown.',
  );
});

it('says that what does not run yet would be refused', () => {
  expect(answer({}, {}, 2)).toBe(
    'If you enforced now, none of 60 pods would be refused, but the next pods of 2 workloads would be.',
  );
});

it('names a mode that is not enforce', () => {
  expect(answer({ reported: 9 }, { policy: { ...policy, mode: 'audit' } })).toBe(
    'In mode audit, none of 60 pods would be refused, but 9 would be reported.',
  );
});

it('is short if all is well', () => {
  expect(answer({})).toBe('If you enforced now, none of 60 pods would be refused.');
  expect(answer({ all: 1 })).toBe('If you enforced now, none of 1 pod would be refused.');
});
