import { fixturePath, readFixture } from './fixtures.ts';

/*
 * The vectors that real cosign made. All are one image, so each needs a memory of its own: the first verified one would
 * be remembered for the rest.
 */

export const IMAGE = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
export const KEY = fixturePath('cosign/keys/cosign.pub');
export const ROOT = fixturePath('cosign/keys/trusted_root.json');

export type Log = 'ignore' | 'require';

type Wanted = 'accept' | 'reject' | 'either';

const expected = readFixture<Readonly<Record<string, Readonly<Record<Log, Wanted>>>>>(
  'cosign',
  'expected.json',
);

/**
 * The verdicts that `verify --output json` and the judge may give, never an internal error. Bytes that do not match
 * their digest also count as `reject`.
 */
const VERDICTS: Readonly<Record<Wanted, RegExp>> = {
  accept: /^verified$/,
  reject: /^(?:rejected|undetermined registry-answer-invalid)/,
  either: /^(?!undetermined internal-error)/,
};

/** Every vector with the log ignored and required, and the expected verdict. */
export const vectorCases = Object.entries(expected).flatMap(([vector, wanted]) =>
  (['ignore', 'require'] as const).map((log) => ({ vector, log, verdict: VERDICTS[wanted[log]] })),
);

/** The flags that require the log of the vectors; none if it is ignored. */
export const logFlags = (log: Log): readonly string[] =>
  log === 'ignore' ? [] : ['--transparency-log', log, '--trusted-root', ROOT];

/** A verdict on one line: `rejected signature-missing`. */
export const lineOf = ({
  outcome,
  reason,
}: {
  readonly outcome: string;
  readonly reason: string | null;
}): string => [outcome, reason].filter((part) => part !== null).join(' ');
