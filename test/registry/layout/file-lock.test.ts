import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withFileLock } from '../../../src/registry/layout/file-lock.ts';
import { temporaryDirectory } from '../../support/layout.ts';

describe('work in a shared directory', () => {
  it('rejects where the directory cannot be written', async () => {
    const directory = join(temporaryDirectory('shared'), 'none');
    await expect(withFileLock(directory, () => Promise.resolve('done'))).rejects.toThrow('ENOENT');
  });

  it('is done by one at a time, and all of it is done', async () => {
    const directory = temporaryDirectory('shared');
    let [inside, most, done] = [0, 0, 0];
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await turn();
      inside -= 1;
      done += 1;
    };
    await Promise.all(Array.from({ length: 10 }, () => withFileLock(directory, work)));
    expect({ inside, most, done }).toEqual({ inside: 0, most: 1, done: 10 });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('gives the directory free when it fails', async () => {
    const directory = temporaryDirectory('shared');
    const failing = withFileLock(directory, () => Promise.reject(new Error('disk full')));
    await expect(failing).rejects.toThrow('disk full');
    expect(await withFileLock(directory, () => Promise.resolve('done'))).toBe('done');
  });

  it('goes on where somebody died at it', async () => {
    const directory = temporaryDirectory('shared');
    mkdirSync(join(directory, '.sailmark-lock'));
    expect(await withFileLock(directory, () => Promise.resolve('done'), 3)).toBe('done');
    expect(readdirSync(directory)).toEqual([]);
  });
});
