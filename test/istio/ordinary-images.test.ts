import { describe, expect, it } from 'vitest';
import { ordinaryImages } from '../support/ordinary-images.ts';
import { summariseClass } from './summarise-class.ts';

describe('ordinary public images', () => {
  it('are more than 500, each named once', () => {
    expect([ordinaryImages.length > 500, ordinaryImages.length]).toEqual([
      true,
      new Set(ordinaryImages).size,
    ]);
  });

  it('give no finding', () => {
    expect(ordinaryImages.filter((image) => summariseClass(image) !== 'not ours')).toEqual([]);
  });
});
