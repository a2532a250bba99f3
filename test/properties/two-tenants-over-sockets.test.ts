import { describe, expect, it } from 'vitest';
import { describeViolation } from './find-violation.ts';
import { createOracle } from './oracle.ts';
import { runOverSockets } from './run-over-sockets.ts';
import { createSchedule, REAL_PACE, withoutHostile } from './schedule.ts';

const AT_ONCE = 10;
const firstSeeds = [0, 10, 20, 30, 40];

const findViolations = async (seed: number): Promise<readonly string[]> => {
  const schedule = createSchedule(seed, REAL_PACE);
  const [run, control] = await Promise.all([
    runOverSockets(schedule),
    runOverSockets(withoutHostile(schedule)),
  ]);
  const violations = createOracle(schedule)(run, control);
  return violations.map(
    (violation) => `seed ${seed}: ${describeViolation(violation)}\n${JSON.stringify(schedule)}`,
  );
};

describe('with two tenants, three repositories and a registry with faults, over sockets', () => {
  it.for(firstSeeds)(
    'nothing unsigned is allowed, and no tenant changes or delays the verdict on another, from seed %i on',
    { timeout: 120_000 },
    async (first) => {
      const seeds = Array.from({ length: AT_ONCE }, (_, index) => first + index);
      const found = await Promise.all(seeds.map(findViolations));
      expect(found.flat()).toEqual([]);
    },
  );
});
