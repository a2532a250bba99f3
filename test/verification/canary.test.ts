import { expect, it } from 'vitest';
import { runCanary } from '../../src/verification/index.ts';

it('the canary is right', async () => {
  await expect(runCanary()).resolves.toBeUndefined();
});
