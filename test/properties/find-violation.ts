import { createOracle, type Violation } from './oracle.ts';
import { type RunOptions, runSchedule } from './run-schedule.ts';
import { createSchedule, type Schedule, withoutHostile } from './schedule.ts';
import { shrink } from './shrink.ts';

/** Runs a schedule with and without the hostile tenant. */
export const violationsOf = async (
  schedule: Schedule,
  options: RunOptions = {},
): Promise<readonly Violation[]> => {
  const run = await runSchedule(schedule, options);
  const control = await runSchedule(withoutHostile(schedule), options);
  return createOracle(schedule)(run, control);
};

export const describeViolation = ({ property, detail, outcome }: Violation): string =>
  `${property}, ${outcome.tenant} tenant, at ${outcome.start} to ${outcome.end} ms: ${detail}\n` +
  `  ${outcome.images.slice(0, 3).join(' ')}`;

/**
 * Returns a report of the first of so many seeds whose schedule breaks a property, with the smallest schedule that does;
 * undefined: none does.
 */
export const findViolation = async (seeds: number, options: RunOptions = {}): Promise<string | undefined> => {
  for (let seed = 0; seed < seeds; seed += 1) {
    const schedule = createSchedule(seed);
    const [first] = await violationsOf(schedule, options);
    if (first === undefined) continue;
    const isSame = async (candidate: Schedule): Promise<boolean> =>
      (await violationsOf(candidate, options)).some(({ property }) => property === first.property);
    const smallest = await shrink(schedule, isSame);
    const violations = await violationsOf(smallest, options);
    return [`seed ${seed}`, ...violations.slice(0, 3).map(describeViolation), JSON.stringify(smallest)].join(
      '\n',
    );
  }
  return undefined;
};
