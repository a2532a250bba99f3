import { readFileSync } from 'node:fs';
import { fixturePath } from './fixtures.ts';

/** Public images, and names that resemble Istio's: none may cause a finding, nor a call of the webhook. */
export const ordinaryImages: readonly string[] = readFileSync(fixturePath('ordinary', 'images.txt'), 'utf8')
  .split('\n')
  .filter((line) => !line.startsWith('#'))
  .flatMap((line) => line.split(' '))
  .filter((image) => image !== '');
