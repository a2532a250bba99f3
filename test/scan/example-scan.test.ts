import { expect, it } from 'vitest';
import { exampleScan } from '../support/example-scan.ts';

const scan = exampleScan();

it('has numbers that agree, as those of a real scan do', () => {
  for (const status of ['refused', 'unknown', 'reported', 'exempt', 'verified'] as const) {
    const images = scan.images.filter((image) => image.status === status);
    expect(images).toHaveLength(scan.summary.images[status]);
    expect(images.reduce((sum, { pods }) => sum + pods, 0)).toBe(scan.summary.pods[status]);
  }
  const { all, ...parts } = scan.summary.pods;
  expect(Object.values(parts).reduce((sum, count) => sum + count, 0)).toBe(all);
  expect(scan.owners.filter(({ status }) => status === 'refused')).toHaveLength(scan.summary.ownersRefused);
});
