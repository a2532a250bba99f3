import { describe, expect, it } from 'vitest';
import { findViolation, violationsOf } from './find-violation.ts';
import type { Schedule } from './schedule.ts';
import { withSharedBreaker } from './shared-breaker.ts';

/** `.ci/run` runs 2,000. */
const SCHEDULES = Number(process.env['SAILMARK_RUNS'] ?? 100);
const HOUR_MS = 3_600_000;

const once = { pods: 1, every: 0, timeout: 30 } as const;
const newImage = { repository: 'proxyv2', naming: { by: 'digest', images: [1] } } as const;

/** The hostile tenant asks for an image first, and then fills every place that it may have with requests that hang. */
const FIRST_IN_LINE: Schedule = {
  seed: -1,
  undetermined: 'allow-verified-tag',
  pin: 'never',
  tagMemory: 10_000,
  latency: 700,
  auth: 'anonymous',
  oddities: [{ of: 'hostile', from: 0, to: 40_000, where: 'ztunnel', behaviour: { kind: 'silence' } }],
  moves: [],
  lateSignatures: [],
  bursts: [
    { ...once, ...newImage, tenant: 'hostile', at: 1_000 },
    {
      ...once,
      tenant: 'hostile',
      at: 1_010,
      pods: 8,
      repository: 'ztunnel',
      naming: { by: 'random digest', count: 64 },
    },
    { ...once, ...newImage, tenant: 'honest', at: 1_300 },
  ],
};

describe('with two tenants, three repositories and a registry with faults', { timeout: HOUR_MS }, () => {
  it('nothing unsigned is allowed, and no tenant changes or delays the verdict on another', async () => {
    expect(await findViolation(SCHEDULES)).toBeUndefined();
  });

  it('an image waits in no line of the tenant that asked for it first', async () => {
    expect(await violationsOf(FIRST_IN_LINE)).toEqual([]);
  });

  it('a circuit breaker that all repositories of a host share would be found', async () => {
    expect(await findViolation(100, { wrapTransport: withSharedBreaker })).toMatch(
      /^seed \d+\nother verdict, honest tenant, .*registry-unavailable/,
    );
  });
});
