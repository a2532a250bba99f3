import { describe, expect, it } from 'vitest';
import { recallOrElse } from '../../src/base/index.ts';

const unexpected = () => expect.unreachable();

describe('recallOrElse', () => {
  it('returns what memory holds as it is, and asks nobody', () => {
    expect(recallOrElse(() => 'remembered', unexpected)).toBe('remembered');
  });

  it('asks where memory does not suffice', async () => {
    const asked = recallOrElse<string>(
      () => undefined,
      async () => 'asked',
    );
    expect(asked).toBeInstanceOf(Promise);
    expect(await asked).toBe('asked');
  });

  it('asks where memory throws, so that the error is reported by the full way', async () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    expect(await recallOrElse<string>(broken, async () => 'asked')).toBe('asked');
    await expect(recallOrElse<string>(broken, async () => broken())).rejects.toThrow('broken');
  });
});
