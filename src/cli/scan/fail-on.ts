import type { ScanResult } from '../../scan/index.ts';
import { type Flag, type Flags, UsageError } from '../command-line/command.ts';
import { exitCodeOf, worstExitCode } from '../shared/exit-codes.ts';

const CHOICES = ['refused', 'unknown', 'drift', 'preflight', 'none'] as const;

/** The findings that a scan fails for. */
export type FailOn = (typeof CHOICES)[number];

export const failOnFlag: Flag = {
  name: 'fail-on',
  value: CHOICES.join('|'),
  repeatable: true,
  help: 'what the exit code tells: what would be refused (default), in addition what is unknown or not seen, containers that drifted, configured images that would be refused; or none of it. May be a list: unknown,drift',
};

/** Reads `--fail-on`. What would be refused counts with each choice but `none`. Throws `UsageError`. */
export const parseFailOn = (flags: Flags): ReadonlySet<FailOn> => {
  const words = flags.list(failOnFlag.name).flatMap((value) => value.split(','));
  const chosen = words.map((word) => {
    const choice = CHOICES.find((candidate) => candidate === word.trim());
    if (choice === undefined)
      throw new UsageError(
        `--${failOnFlag.name} must be one of ${CHOICES.join(', ')}, or a list of them, got ${JSON.stringify(word)}`,
      );
    return choice;
  });
  if (!chosen.includes('none')) return new Set<FailOn>(['refused', ...chosen]);
  if (chosen.some((choice) => choice !== 'none'))
    throw new UsageError(`--${failOnFlag.name} none stands alone`);
  return new Set();
};

/** Exit codes of what is not known, and of what admission refuses whatever the signatures are. */
const UNDETERMINED = 20;
const REFUSED = 30;

const refusedCodes = ({ images, owners, summary }: ScanResult): readonly number[] => {
  const codes = [
    ...images
      .filter(({ status }) => status === 'refused')
      .map(({ reason }) => (reason === null ? REFUSED : exitCodeOf(reason))),
    ...owners
      .filter(({ status }) => status === 'refused')
      .flatMap(({ findings }) => findings.filter(({ effect }) => effect === 'deny'))
      .map(({ code }) => exitCodeOf(code)),
  ];
  // Whatever the lists hold, a scan that counts a refused pod fails.
  return codes.length === 0 && summary.pods.refused + summary.ownersRefused > 0 ? [REFUSED] : codes;
};

const isSomethingUnknown = ({ summary, preflight, coverage }: ScanResult): boolean =>
  summary.images.unknown + summary.pods.unknown + summary.driftUnknown + summary.preflightUnknown > 0 ||
  preflight.some(({ status }) => status === 'unknown') ||
  coverage.notSeen.length + coverage.cut.length > 0;

const preflightCodes = ({ preflight }: ScanResult): readonly number[] =>
  preflight
    .filter(({ status }) => status === 'refused')
    .map(({ reason }) => (reason === null ? REFUSED : exitCodeOf(reason)));

/** Returns the exit code of a scan: of the most serious finding that `failOn` counts. One that was interrupted never has 0. */
export const exitCodeOfScan = (result: ScanResult, failOn: ReadonlySet<FailOn>): number =>
  worstExitCode([
    ...(failOn.has('refused') ? refusedCodes(result) : []),
    ...(failOn.has('unknown') && isSomethingUnknown(result) ? [UNDETERMINED] : []),
    ...(failOn.has('drift') && result.summary.drifted > 0 ? [REFUSED] : []),
    ...(failOn.has('preflight') ? preflightCodes(result) : []),
    ...(result.complete ? [] : [UNDETERMINED]),
  ]);
