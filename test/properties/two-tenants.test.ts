import { describe, expect, it } from 'vitest';
import { findViolation } from './find-violation.ts';
import { withSharedBreaker } from './shared-breaker.ts';

/** `.ci/run` runs 2,000. */
const SCHEDULES = Number(process.env['SAILMARK_RUNS'] ?? 100);
const HOUR_MS = 3_600_000;

describe('with two tenants, three repositories and a registry with faults', { timeout: HOUR_MS }, () => {
  it('nothing unsigned is allowed, and no tenant changes or delays the verdict on another', async () => {
    expect(await findViolation(SCHEDULES)).toBeUndefined();
  });

  it('a circuit breaker that all repositories of a host share would be found', async () => {
    expect(await findViolation(100, { wrapTransport: withSharedBreaker })).toMatch(
      /^seed \d+\nother verdict, honest tenant, .*registry-unavailable/,
    );
  });
});
