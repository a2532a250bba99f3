import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFileWithin, readFirstBytes, readTextFile } from '../../src/base/index.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'read-file-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const pipe = (): string => {
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
};
const file = (text: string): string => {
  const path = join(directory, 'file');
  writeFileSync(path, text);
  return path;
};
const linkTo = (path: string): string => {
  const link = join(directory, 'link');
  symlinkSync(path, link);
  return link;
};

const NOT_REGULAR = 'it is a pipe, a device or a socket, not a regular file';

describe('a file that an operator names', () => {
  it('is refused at once if it is a pipe that nobody writes to', async () => {
    const path = pipe();
    await expect(readTextFile(path)).rejects.toThrow(NOT_REGULAR);
    await expect(readTextFile(path, { fromShell: true })).rejects.toThrow(NOT_REGULAR);
  });

  it('is refused if it is a link to a pipe, or a device', async () => {
    await expect(readTextFile(linkTo(pipe()))).rejects.toThrow(NOT_REGULAR);
    await expect(readTextFile('/dev/zero')).rejects.toThrow(NOT_REGULAR);
  });

  it('is refused if it is a directory, by a code of its own', async () => {
    mkdirSync(join(directory, 'sub'));
    await expect(readTextFile(join(directory, 'sub'))).rejects.toMatchObject({ code: 'EISDIR' });
  });

  it('is refused if it is longer than the limit', async () => {
    const path = file('');
    truncateSync(path, 8 * 1024 * 1024 + 1);
    await expect(readTextFile(path)).rejects.toThrow('it is longer than 8388608 bytes');
    await expect(readFileWithin(file('12345'), 4)).rejects.toThrow('it is longer than 4 bytes');
  });

  it('is refused as a descriptor of the shell where none is expected', async () => {
    await expect(readTextFile('/proc/self/fd/99999')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is read through links, up to the limit', async () => {
    const path = file('täxt');
    expect(await readTextFile(linkTo(path))).toBe('täxt');
    expect(await readFileWithin(path, 5)).toHaveLength(5);
    expect(await readFirstBytes(path, 1)).toHaveLength(2);
  });
});
