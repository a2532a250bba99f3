import type { Schedule } from './schedule.ts';

const LISTS = ['oddities', 'moves', 'lateSignatures', 'bursts'] as const;

/** Returns the schedules that lack one part of this one. */
const smaller = function* (schedule: Schedule): Generator<Schedule> {
  for (const list of LISTS)
    for (const index of schedule[list].keys())
      yield { ...schedule, [list]: schedule[list].filter((_, other) => other !== index) };
};

/** Leaves out whatever a failure does not need, one part at a time. */
export const shrink = async (
  schedule: Schedule,
  fails: (schedule: Schedule) => Promise<boolean>,
): Promise<Schedule> => {
  for (const candidate of smaller(schedule)) if (await fails(candidate)) return shrink(candidate, fails);
  return schedule;
};
