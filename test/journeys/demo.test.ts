import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const DEMO = new URL('../support/demo/main.ts', import.meta.url).pathname;

it('the demo shows what it says, in 80 columns', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [DEMO]);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(stdout).toContain('\nEvery row is as expected. Next:\n');
  expect(stdout).toMatch(/^ {2}istio\/\S+ +refused +[\d.]+ +\d+\n {6}signature-missing: no signature$/m);
});
