import { expect, it } from 'vitest';
import { canaryProblems, runCanary } from '../../src/verification/index.ts';

it('the canary is right', async () => {
  await expect(runCanary()).resolves.toBeUndefined();
  expect(await canaryProblems()).toEqual({ good: undefined, forged: undefined, borrowed: undefined });
});
